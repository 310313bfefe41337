#include "bench/swarm/ledger.hpp"

#include "sdk/task.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace fairlead::bench {
namespace {

using What = Ledger::What;

struct Life {
    std::size_t asked = 0, started = 0, ended = 0, told = 0;
    v1::TaskState end = v1::TASK_STAGING;  // by the agent's word
    bool told_otherwise = false;
};

Life life_of(std::vector<Ledger::Entry>::const_iterator from, std::vector<Ledger::Entry>::const_iterator to) {
    Life life;
    for (auto one = from; one != to; ++one) {
        life.asked += one->what == What::asked;
        life.started += one->what == What::started;
        life.told += one->what == What::told;
        if (one->what != What::ended) continue;
        ++life.ended;
        life.end = one->state;
    }
    for (auto one = from; one != to; ++one)
        life.told_otherwise |= one->what == What::told && life.ended > 0 && one->state != life.end;
    return life;
}

void judge(std::uint64_t task, const Life& life, Verdict& verdict) {
    const auto wrong = [&](std::size_t& count, const char* what) {
        ++count;
        if (!verdict.example.empty()) return;
        const TaskKey key{static_cast<std::uint32_t>(task >> 32), static_cast<std::uint32_t>(task)};
        verdict.example = fmt::format("{} {}: started {}, ended {}, told {}", key.text(), what, life.started, life.ended, life.told);
    };
    verdict.asked += life.asked > 0;
    if (life.asked == 0) return wrong(verdict.unasked, "nobody asked for it");
    if (life.started > 1) return wrong(verdict.doubled, "was doubled");
    if (life.started == 0) {
        if (life.told == 0) return wrong(verdict.forgotten, "was forgotten");
        ++verdict.turned_away;
        return;
    }
    if (life.ended == 0 || life.told == 0 || life.told_otherwise) return wrong(verdict.lost, "was lost");
    ++verdict.ran;
}

}  // namespace

std::string TaskKey::text() const { return fmt::format("t-{}-{}", framework, number); }

std::optional<TaskKey> TaskKey::parse(std::string_view text) {
    TaskKey key;
    const char* end = text.data() + text.size();
    if (!text.starts_with("t-")) return std::nullopt;
    const auto framework = std::from_chars(text.data() + 2, end, key.framework);
    if (framework.ec != std::errc() || framework.ptr == end || *framework.ptr != '-') return std::nullopt;
    const auto number = std::from_chars(framework.ptr + 1, end, key.number);
    if (number.ec != std::errc() || number.ptr != end) return std::nullopt;
    return key;
}

std::string Verdict::json() const {
    return fmt::format(R"("asked": {}, "ran": {}, "turned_away": {}, "doubled": {}, "lost": {}, "forgotten": {}, "unasked": {}, "example": "{}")",
                       asked, ran, turned_away, doubled, lost, forgotten, unasked, example);
}

Verdict compare(std::vector<Ledger*> ledgers) {
    std::vector<Ledger::Entry> all;
    for (Ledger* ledger : ledgers) {
        all.insert(all.end(), ledger->entries.begin(), ledger->entries.end());
        ledger->entries = {};
    }
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.task < b.task; });
    Verdict verdict;
    for (auto from = all.cbegin(); from != all.cend();) {
        const auto to = std::find_if(from, all.cend(), [&](const auto& one) { return one.task != from->task; });
        judge(from->task, life_of(from, to), verdict);
        from = to;
    }
    return verdict;
}

}  // namespace fairlead::bench
