#pragma once
// Tables for people: columns as wide as their widest cell, two spaces between, numbers to the
// right, no trailing blanks. Widths count characters of UTF-8, not bytes. Nothing is cut: a pipe
// gets whole cells. Also the units and the "did you mean" of the command line. Pure.

#include <string>
#include <string_view>
#include <vector>

namespace fairlead::cli {

enum class Align { left, right };

struct Column {
    std::string title;
    Align align = Align::left;
};

class Table {
  public:
    explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
    void add(std::vector<std::string> cells);
    bool empty() const { return rows_.empty(); }
    std::string text() const;

  private:
    std::vector<Column> columns_;
    std::vector<std::vector<std::string>> rows_;
};

// 0.25, 4, 12.5: at most three decimals, none that say nothing.
std::string cpus_text(double cpus);
// Megabytes as the API counts them (1024 * 1024 bytes): "512M", "7.8G", "1.2T".
std::string megabytes_text(double megabytes);
// "42s", "3m05s", "2h10m", "5d03h".
std::string age_text(double seconds);
// TASK_RUNNING -> running.
std::string state_text(std::string_view state);

// The candidates that a typing error away from `word`, closest first; at most `count`.
std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& candidates,
                                 std::size_t count);

}  // namespace fairlead::cli
