# moodycamel's ConcurrentQueue has no CMake package on Debian. Distributions
# put it at concurrentqueue/concurrentqueue.h, its own install at
# concurrentqueue/moodycamel/concurrentqueue.h; sched/inbox.hpp takes either.

find_path(concurrentqueue_INCLUDE_DIR
  NAMES concurrentqueue/concurrentqueue.h moodycamel/concurrentqueue.h
  PATH_SUFFIXES concurrentqueue
  DOC "Where <concurrentqueue/concurrentqueue.h> is found")
mark_as_advanced(concurrentqueue_INCLUDE_DIR)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(concurrentqueue
  REQUIRED_VARS concurrentqueue_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "on Debian: apt install libconcurrentqueue-dev")

if(concurrentqueue_FOUND AND NOT TARGET concurrentqueue::concurrentqueue)
  add_library(concurrentqueue::concurrentqueue INTERFACE IMPORTED)
  target_include_directories(concurrentqueue::concurrentqueue
    SYSTEM INTERFACE ${concurrentqueue_INCLUDE_DIR})
endif()
