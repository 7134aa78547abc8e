// Methods, references, templates and classes by value, each called once.
#include <memory>
#include <string>

namespace shop {
struct Base {
  int id;
  virtual ~Base() {}
};
class Item : public Base {
 public:
  Item(int number, int amount) : count(amount) { id = number; }
  int sell(int n, const char *who);
  static int total(const Item &item, long extra);

 private:
  int count;
};
__attribute__((noipa)) int Item::sell(int n, const char *who) { return count -= n + (who[0] == '?'); }
__attribute__((noipa)) int Item::total(const Item &item, long extra) { return item.count + extra; }
}  // namespace shop

template <typename T>
__attribute__((noipa)) T scale(T value, int by)
{
  return value * by;
}

enum class Mode : unsigned char { Slow = 1, Fast = 2 };

__attribute__((noipa)) std::string label(const std::string &prefix, Mode mode)
{
  return prefix + (mode == Mode::Fast ? "f" : "s");
}
__attribute__((noipa)) int byvalue(std::string text, int n) { return text.size() + n; }
__attribute__((noipa)) std::unique_ptr<int> boxed(int n, long m) { return std::make_unique<int>(n + m); }

int main()
{
  shop::Item item(7, 70);
  char who[] = "me";
  int sum = item.sell(3, who) + shop::Item::total(item, 5) + scale(2, 3) + (int)scale(2L, 4);
  sum += label("x", Mode::Fast).size() + byvalue("abc", 11) + *boxed(5, 6);
  return sum == 42;
}
