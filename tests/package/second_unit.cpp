// Links only if nothing the headers define clashes with the same in main.cpp.
#include <hotplate/hotplate.hpp>
