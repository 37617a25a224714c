#pragma once

#include <cstddef>
#include <cstdint>
#include <new>

#include "hotplate/base/assert.hpp"

#if !defined(__x86_64__) || defined(__ILP32__)
#include <boost/context/detail/fcontext.hpp>
#endif

// Leaving one stack for another. Where we know the machine, it is done in the
// middle of whoever switches, without a call: a processor predicts returns by
// the calls it has seen, and on each side of a switch that is called it
// predicts the returns of the other side. A nested invocation lost some 15 ns
// by four of them; elsewhere, Boost.Context is called. Both leave what the ABI
// has a function keep, the modes of the floating-point units included.

#if defined(HOTPLATE_TSAN) && defined(__clang__)
#define HOTPLATE_NO_TSAN \
  __attribute__((no_sanitize("thread"), disable_sanitizer_instrumentation))
#elif defined(HOTPLATE_TSAN)
#define HOTPLATE_NO_TSAN __attribute__((no_sanitize("thread")))
#else
#define HOTPLATE_NO_TSAN
#endif

// Not where it is no part of what it would be inlined into, or much code.
#if defined(HOTPLATE_TSAN) || defined(HOTPLATE_ASAN)
#define HOTPLATE_SWITCH HOTPLATE_NOINLINE HOTPLATE_NO_TSAN
#else
#define HOTPLATE_SWITCH HOTPLATE_INLINE
#endif

namespace hotplate::inline HOTPLATE_ABI::detail {

#if defined(__x86_64__) && !defined(__ILP32__)

/// Where a stack that was left stands.
using stack_point = void*;

/// Rounding and its like, of SSE (low half) and x87.
using float_modes = std::uint64_t;

/// The calling thread's; with no exception noted.
inline float_modes modes_here() noexcept {
  std::uint32_t sse = 0;
  std::uint16_t x87 = 0;
  asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(sse), "=m"(x87));
  constexpr std::uint32_t noted = 0x3f;
  return std::uint64_t{x87} << 32 | (sse & ~noted);
}

inline void set_modes_here(float_modes modes) noexcept {
  const auto sse = static_cast<std::uint32_t>(modes);
  const auto x87 = static_cast<std::uint16_t>(modes >> 32);
  asm volatile("ldmxcsr %0\n\tfldcw %1" : : "m"(sse), "m"(x87));
}

/// What the stack that is reached is told.
struct landing {
  stack_point fctx;  // Of the one that was left.
  void* data;
};

#if defined(__AVX512F__)
#define HOTPLATE_AVX512_REGISTERS                                             \
  , "xmm16", "xmm17", "xmm18", "xmm19", "xmm20", "xmm21", "xmm22", "xmm23",   \
      "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29", "xmm30", "xmm31", \
      "k0", "k1", "k2", "k3", "k4", "k5", "k6", "k7"
#else
#define HOTPLATE_AVX512_REGISTERS
#endif

/// Leaves this stack for the one at `to`; returns when somebody comes back.
/// What goes on here then has the modes of now; or `anew`, if that is not 0: to
/// read those of now takes longer than all the rest. On the stack from its
/// left: rbp, where to go on, the modes, rbx (which some functions with odd
/// alignments cannot do without); below the 128 bytes that the caller may use
/// under its stack pointer. lib/gdb reads this. Source: System V ABI for
/// x86-64, 3.2.
HOTPLATE_INLINE HOTPLATE_NO_TSAN landing jump_to(stack_point to, void* data,
                                                 float_modes anew) noexcept {
  landing come;
  asm volatile(
      "leaq -160(%%rsp), %%rsp\n\t"
      "leaq 3f(%%rip), %%rcx\n\t"
      "movq %%rbp, (%%rsp)\n\t"
      "movq %%rcx, 8(%%rsp)\n\t"
      "movq %%rbx, 24(%%rsp)\n\t"
      "testq %%rdx, %%rdx\n\t"
      "jne 1f\n\t"
      "stmxcsr 16(%%rsp)\n\t"
      "fnstcw 20(%%rsp)\n\t"
      "jmp 2f\n"
      "1:\n\t"
      "movq %%rdx, 16(%%rsp)\n"
      "2:\n\t"
      "movq %%rsp, %%rdi\n\t"
      "movq %%rax, %%rsp\n\t"
      "movq (%%rsp), %%rbp\n\t"
      "ldmxcsr 16(%%rsp)\n\t"
      "fldcw 20(%%rsp)\n\t"
      "movq 24(%%rsp), %%rbx\n\t"
      "jmpq *8(%%rsp)\n"
      "3:\n\t"
      "leaq 160(%%rsp), %%rsp"
      : "=D"(come.fctx), "+S"(data), "+a"(to), "+d"(anew)
      :
      : "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory",
        "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
        "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15",
        "st", "st(1)", "st(2)", "st(3)", "st(4)", "st(5)", "st(6)",
        "st(7)" HOTPLATE_AVX512_REGISTERS);
  come.data = data;
  return come;
}

#undef HOTPLATE_AVX512_REGISTERS

/// A fresh stack below `top`, on which the first jump calls `first`, with no
/// caller and these modes; that never returns.
inline stack_point prepare_stack(std::byte* top, std::size_t,
                                 void (*first)(landing),
                                 float_modes modes) noexcept {
  struct frame {
    std::uint64_t base;  // Found as the address to return to: none.
    void (*start)(landing);
    float_modes modes;
    std::uint64_t saved;
  };
  // As if called: 8 beyond a multiple of 16.
  const auto end = reinterpret_cast<std::uintptr_t>(top) & ~std::uintptr_t{15};
  return new (reinterpret_cast<void*>(end - sizeof(frame) - 8))
      frame{0, first, modes, 0};
}

#else

using stack_point = boost::context::detail::fcontext_t;
using landing = boost::context::detail::transfer_t;
using float_modes = std::uint64_t;

// Boost.Context keeps the modes of each stack.
inline float_modes modes_here() noexcept { return 0; }
inline void set_modes_here(float_modes) noexcept {}

HOTPLATE_INLINE HOTPLATE_NO_TSAN landing jump_to(stack_point to, void* data,
                                                 float_modes) noexcept {
  return boost::context::detail::jump_fcontext(to, data);
}

inline stack_point prepare_stack(std::byte* top, std::size_t size,
                                 void (*first)(landing), float_modes) noexcept {
  return boost::context::detail::make_fcontext(top, size, first);
}

#endif

}  // namespace hotplate::inline HOTPLATE_ABI::detail
