#pragma once
// Resources as Mesos' pages show them: cpus, gpus, mem and disk always, as numbers; ranges and sets as text, such as
// "[31000-32000]"; what can be revoked under a name of its own. Sums may go over several agents, where the same port
// number exists many times: then ranges and sets are united.

#include "common/resources/resources.hpp"

#include <map>
#include <set>
#include <string>

namespace fairlead::resources {

class ResourceSums {
  public:
    ResourceSums() = default;
    explicit ResourceSums(const Resources& one) { add(one); }

    void add(const Resources& more);
    void add(const ResourceSums& more);
    // As an object; `Json` is wire::JsonText, which this folder does not know.
    template <typename Json>
    void write(Json& json) const {
        json.object();
        for (const auto predefined : predefined_names) {
            const auto found = scalars_.find(std::string(predefined));
            json.key(predefined).number(found == scalars_.end() ? 0 : found->second.to_double());
        }
        for (const auto& [name, amount] : scalars_)
            if (predefined_index(name) == predefined_count) json.key(name).number(amount.to_double());
        for (const auto& [name, ranges] : ranges_) json.key(name).text(ranges.to_string());
        for (const auto& [name, items] : items_) {
            std::string text = "{";
            for (const auto& item : items) text += (text.size() > 1 ? ", " : "") + item;
            json.key(name).text(text + "}");
        }
        json.end_object();
    }

  private:
    std::map<std::string, Milli> scalars_;
    std::map<std::string, Ranges> ranges_;
    std::map<std::string, std::set<std::string>> items_;
};

}  // namespace fairlead::resources
