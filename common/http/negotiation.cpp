#include "common/http/negotiation.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace fairlead::http {

namespace {

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// Cuts off and gives what stands before `separator`.
std::string_view next_part(std::string_view& rest, char separator) {
    const auto end = std::min(rest.find(separator), rest.size());
    const auto part = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return trimmed(part);
}

struct Choice {
    std::string_view range;
    double weight = 1;
};

Choice parse_choice(std::string_view text) {
    Choice choice{next_part(text, ';')};
    while (!text.empty()) {
        auto value = next_part(text, ';');
        const auto name = next_part(value, '=');
        if (equal_ignoring_case(name, "q")) {
            const double weight = std::strtod(std::string(value).c_str(), nullptr);
            choice.weight = weight >= 0 && weight <= 1 ? weight : 0;
        }
    }
    return choice;
}

// The weight of the most specific choice; `specificity` gives 0 for "does not match".
template <typename Specificity>
double best_weight(std::string_view list, Specificity specificity) {
    double weight = 0;
    int best = 0;
    while (!list.empty()) {
        const auto choice = parse_choice(next_part(list, ','));
        const int rank = choice.range.empty() ? 0 : specificity(choice.range);
        if (rank > best) {
            best = rank;
            weight = choice.weight;
        } else if (rank == best && rank > 0) {
            weight = std::max(weight, choice.weight);
        }
    }
    return weight;
}

}  // namespace

double accept_weight(const Headers& headers, std::string_view media_type) {
    const std::string list = headers.joined("Accept");
    if (trimmed(list).empty()) return 1;
    const auto major = media_type.substr(0, media_type.find('/') + 1);
    return best_weight(list, [&](std::string_view range) {
        if (equal_ignoring_case(range, media_type)) return 3;
        if (range.ends_with("/*") &&
            equal_ignoring_case(range.substr(0, range.size() - 1), major)) {
            return 2;
        }
        return range == "*/*" || range == "*" ? 1 : 0;
    });
}

bool accepts_gzip(const Headers& headers) {
    return best_weight(headers.joined("Accept-Encoding"), [](std::string_view range) {
               if (equal_ignoring_case(range, "gzip") || equal_ignoring_case(range, "x-gzip")) {
                   return 2;
               }
               return range == "*" ? 1 : 0;
           }) > 0;
}

}  // namespace fairlead::http
