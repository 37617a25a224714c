#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstddef>
#include <utility>

namespace compare {

/// Boost.Asio's thread_pool, given functions with post() as its reference has
/// it: boost.org/doc/libs/1_74_0/doc/html/boost_asio/reference/thread_pool.html
class asio_pool {
 public:
  explicit asio_pool(std::size_t threads) : pool_(threads) {}
  asio_pool(const asio_pool&) = delete;
  asio_pool& operator=(const asio_pool&) = delete;
  ~asio_pool() { pool_.join(); }

  template <typename Task>
  void run(Task task) {
    boost::asio::post(pool_, std::move(task));
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace compare
