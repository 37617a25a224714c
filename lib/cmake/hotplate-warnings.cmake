# For our own tests, benchmarks and demo; never part of what a host links.

add_library(hotplate_warnings INTERFACE)
target_compile_options(hotplate_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<BOOL:${HOTPLATE_WERROR}>:-Werror>)
