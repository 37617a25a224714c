// For the headers that no other source here includes.
#include <hotplate/hotplate.hpp>
#include <hotplate/json.hpp>
