#pragma once
// Resources as Mesos' pages show them: cpus, gpus, mem and disk always, as numbers; ranges and sets as text, such as
// "[31000-32000]"; what can be revoked under a name of its own. Sums may go over several agents, where the same port
// number exists many times: then ranges and sets are united.

#include "common/resources/resources.hpp"
#include "common/wire/json_text.hpp"

#include <map>
#include <set>
#include <string>

namespace fairlead::masterd::api {

class ResourceSums {
  public:
    ResourceSums() = default;
    explicit ResourceSums(const resources::Resources& one) { add(one); }

    void add(const resources::Resources& more);
    void add(const ResourceSums& more);
    // As an object.
    void write(wire::JsonText& json) const;

  private:
    std::map<std::string, resources::Milli> scalars_;
    std::map<std::string, resources::Ranges> ranges_;
    std::map<std::string, std::set<std::string>> items_;
};

}  // namespace fairlead::masterd::api
