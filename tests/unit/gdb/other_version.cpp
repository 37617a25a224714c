// As far as debug information tells, a program of another hotplate.

namespace hotplate::inline v9_9::detail {

class core {
 public:
  explicit core(int argument) noexcept : member_(argument) {}
  int member() const noexcept { return member_; }

 private:
  int member_;
};

}  // namespace hotplate::inline v9_9::detail

int main(int argument, char**) {
  const hotplate::detail::core only(argument);
  return only.member() - argument;
}
