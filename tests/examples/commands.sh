# The commands that README.md names.
./bench/demo.sh
./tests/run.sh
