#pragma once

#include <cstddef>
#include <utility>
#include <vector>

#include "hotplate/version.hpp"

// What std::unique_ptr does for the engine; each type of that is dear for every
// file that includes the library (tests/compile_cost).

namespace hotplate::inline HOTPLATE_ABI::detail {

/// Owns one object made by `new`, or none; or one of a class that says itself
/// how it ends: T::give_up(object).
template <typename T>
class owned {
 public:
  owned() noexcept = default;
  owned(std::nullptr_t) noexcept {}
  explicit owned(T* object) noexcept : object_(object) {}
  owned(owned&& other) noexcept : object_(other.release()) {}
  template <typename Derived>
  owned(owned<Derived>&& other) noexcept : object_(other.release()) {}
  owned& operator=(owned&& other) noexcept {
    reset(other.release());
    return *this;
  }
  ~owned() { reset(); }

  T* get() const noexcept { return object_; }
  T& operator*() const noexcept { return *object_; }
  T* operator->() const noexcept { return object_; }
  explicit operator bool() const noexcept { return object_ != nullptr; }
  bool operator==(std::nullptr_t) const noexcept { return object_ == nullptr; }

  T* release() noexcept {
    T* const object = object_;
    object_ = nullptr;
    return object;
  }
  void reset(T* object = nullptr) noexcept {
    static_assert(
        requires { sizeof(T); }, "T must be complete");
    T* const gone = object_;
    object_ = object;
    if constexpr (requires { T::give_up(gone); }) {
      if (gone != nullptr) T::give_up(gone);
    } else {
      delete gone;
    }
  }

 private:
  T* object_ = nullptr;
};

template <typename T, typename... Args>
owned<T> make_owned(Args&&... args) {
  return owned<T>(new T(std::forward<Args>(args)...));
}

/// Owns an array; its elements are value-initialised.
template <typename T>
class owned_array {
 public:
  explicit owned_array(std::size_t size) : first_(new T[size]()), size_(size) {}
  owned_array(const owned_array&) = delete;
  owned_array& operator=(const owned_array&) = delete;
  ~owned_array() { delete[] first_; }

  std::size_t size() const noexcept { return size_; }
  T* get() const noexcept { return first_; }
  T* begin() const noexcept { return first_; }
  T* end() const noexcept { return first_ + size_; }
  T& operator[](std::size_t at) const noexcept { return first_[at]; }

 private:
  T* const first_;
  const std::size_t size_;
};

/// Owns objects that stay where they are: a std::vector of owned ones, but all
/// such lists share one std::vector's code.
template <typename T>
class owned_list {
 public:
  owned_list() noexcept = default;
  owned_list(owned_list&& other) noexcept
      : objects_(std::move(other.objects_)) {}
  owned_list& operator=(owned_list&&) = delete;
  ~owned_list() {
    while (!empty()) take_last();
  }

  T& push_back(owned<T> last) {
    objects_.push_back(last.get());
    return *last.release();
  }
  owned<T> take_last() noexcept {
    owned<T> last(&back());
    objects_.pop_back();
    return last;
  }
  T& insert(std::size_t at, owned<T> added) {
    objects_.insert(objects_.begin() + static_cast<std::ptrdiff_t>(at),
                    added.get());
    return *added.release();
  }
  /// Deletes those for which `gone` is true; returns how many.
  template <typename Gone>
  std::size_t erase_if(const Gone& gone) noexcept {
    std::size_t kept = 0;
    for (void* const each : objects_) {
      const owned<T> doomed(gone(*static_cast<T*>(each)) ? static_cast<T*>(each)
                                                         : nullptr);
      if (!doomed) objects_[kept++] = each;
    }
    const std::size_t before = size();
    objects_.resize(kept);
    return before - kept;
  }
  void reserve(std::size_t size) { objects_.reserve(size); }

  std::size_t size() const noexcept { return objects_.size(); }
  bool empty() const noexcept { return objects_.empty(); }
  T& operator[](std::size_t at) const noexcept {
    return *static_cast<T*>(objects_[at]);
  }
  T& back() const noexcept { return (*this)[size() - 1]; }

  class iterator {
   public:
    explicit iterator(void* const* at) noexcept : at_(at) {}
    T& operator*() const noexcept { return *static_cast<T*>(*at_); }
    iterator& operator++() noexcept {
      ++at_;
      return *this;
    }
    bool operator==(const iterator&) const noexcept = default;

   private:
    void* const* at_;
  };
  iterator begin() const noexcept { return iterator(objects_.data()); }
  iterator end() const noexcept { return iterator(objects_.data() + size()); }

 private:
  std::vector<void*> objects_;
};

/// What std::vector::insert does, at a third of what that costs to compile.
template <typename T>
void insert_at(std::vector<T>& list, std::size_t at, T made) {
  list.push_back(std::move(made));
  for (std::size_t i = list.size() - 1; i > at; --i) {
    std::swap(list[i], list[i - 1]);
  }
}

}  // namespace hotplate::inline HOTPLATE_ABI::detail
