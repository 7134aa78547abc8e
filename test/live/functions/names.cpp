// Functions with names that a compiler mangles, each called a known number of times.
#include <cstdio>
#include <cstdlib>
#include <string>

#define KEEP __attribute__((noinline, used, noclone, noipa))

namespace shop {

static volatile long sold;

KEEP long price(int items) {
  sold = sold + items;
  return items * 3L;
}

KEEP long price(const char *name) {
  sold = sold + 1;
  return name[0];
}

class Basket {
 public:
  KEEP explicit Basket(int size) : size_(size) {}
  KEEP ~Basket() { sold = sold + size_; }
  KEEP int add(int items) { return size_ += items; }
  KEEP int total() const { return size_; }
  KEEP bool operator==(const Basket &other) const { return size_ == other.size_; }

 private:
  int size_;
};

template <typename T>
KEEP T twice(T value) {
  sold = sold + 1;
  return value + value;
}

KEEP std::string label(const std::string &text) { return text + "!"; }

}  // namespace shop

extern "C" KEEP long plain(long value) { return value + 1; }

int main(int argc, char **argv) {
  int n = argc > 1 ? std::atoi(argv[1]) : 1;
  long sum = 0;
  for (int i = 0; i < n; i++) {
    shop::Basket basket(i), other(i);
    sum += shop::price(i) + shop::price("tea") + shop::price("jam");
    sum += basket.add(1) + basket.total() + (basket == other);
    sum += shop::twice(i) + shop::twice(2L) + static_cast<long>(shop::twice(1.5));
    sum += static_cast<long>(shop::label("a").size()) + plain(i);
  }
  std::printf("%ld\n", sum);
  return 0;
}
