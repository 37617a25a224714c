#pragma once
#pragma GCC system_header  // include_next is an extension.

// Stands before the library's own header on the include path of
// bench_invoke_unmetered: that engine counts nothing.

#define recorder counting_recorder
#include_next "hotplate/metering/recorder.hpp"
#undef recorder

namespace hotplate::inline HOTPLATE_ABI::detail {

class recorder : public counting_recorder {
 public:
  using counting_recorder::counting_recorder;
  void record(std::size_t, const usage&) noexcept {}
  void record_outside(const usage&) noexcept {}
};

}  // namespace hotplate::inline HOTPLATE_ABI::detail
