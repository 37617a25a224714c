// A host that has hotplate from a package and nothing else of this tree.
#include <cstdio>
#include <hotplate/hotplate.hpp>

int main() {
  hotplate::engine engine;
  auto add = engine.deploy(
      "add", [](hotplate::context&, int a, int b) { return a + b; });
  std::printf("%d\n", add(40, 2).value());
}
