# Refuses, in words, what the engine cannot run on or be compiled by.

if(NOT CMAKE_SYSTEM_NAME STREQUAL "Linux"
    OR NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|aarch64)$"
    OR NOT CMAKE_SIZEOF_VOID_P EQUAL 8)
  message(FATAL_ERROR "hotplate runs on 64-bit Linux on x86-64 or aarch64 "
    "only; this is ${CMAKE_SYSTEM_NAME} on ${CMAKE_SYSTEM_PROCESSOR}.")
endif()

# cxx_std_20 only says that a flag exists; this asks for what the headers use.
if(NOT DEFINED HOTPLATE_COMPILER_HAS_CXX20)
  try_compile(HOTPLATE_COMPILER_HAS_CXX20
    SOURCE_FROM_CONTENT cxx20.cpp [[
      #include <concepts>
      #include <coroutine>
      #include <span>
      #include <stop_token>
      template <std::integral T>
      T same(T value) { return value; }
      int main() { return same(std::stop_token{}.stop_possible() ? 1 : 0); }
    ]]
    CXX_STANDARD 20 CXX_STANDARD_REQUIRED ON)
endif()
if(NOT HOTPLATE_COMPILER_HAS_CXX20)
  unset(HOTPLATE_COMPILER_HAS_CXX20 CACHE)  # ask again after a change
  message(FATAL_ERROR "hotplate needs C++20 with concepts, coroutines and "
    "stop_token (g++ 12 or clang 14, or newer); ${CMAKE_CXX_COMPILER} "
    "(${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}) lacks them.")
endif()
