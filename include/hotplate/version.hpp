#pragma once

// The one place that holds the version; CMake reads it from here.
#define HOTPLATE_VERSION_MAJOR 0
#define HOTPLATE_VERSION_MINOR 1
#define HOTPLATE_VERSION_PATCH 0

// Objects built with and without a sanitizer, or with and without assertions,
// lay out the same types differently. Their names differ too, so that mixing
// them fails to link instead of failing at run time.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOTPLATE_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define HOTPLATE_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define HOTPLATE_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define HOTPLATE_TSAN 1
#endif

#if !defined(NDEBUG)
#define HOTPLATE_CHECKED 1
#endif

#if defined(HOTPLATE_ASAN) && defined(HOTPLATE_CHECKED)
#define HOTPLATE_ABI v0_1_asan_checked
#elif defined(HOTPLATE_ASAN)
#define HOTPLATE_ABI v0_1_asan
#elif defined(HOTPLATE_TSAN) && defined(HOTPLATE_CHECKED)
#define HOTPLATE_ABI v0_1_tsan_checked
#elif defined(HOTPLATE_TSAN)
#define HOTPLATE_ABI v0_1_tsan
#elif defined(HOTPLATE_CHECKED)
#define HOTPLATE_ABI v0_1_checked
#else
#define HOTPLATE_ABI v0_1
#endif

// The same as text, for messages.
#define HOTPLATE_TEXT_OF_IT(it) #it
#define HOTPLATE_TEXT_OF(it) HOTPLATE_TEXT_OF_IT(it)
#define HOTPLATE_ABI_TEXT HOTPLATE_TEXT_OF(HOTPLATE_ABI)
