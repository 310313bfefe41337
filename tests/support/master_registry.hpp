#pragma once
// What a master has written down, in memory: outlives the cores of a simulation or a test.

#include "masterd/core/durable.hpp"

#include <algorithm>
#include <map>

namespace fairlead::tests {

class MasterRegistry {
  public:
    void write(const std::vector<masterd::core::Persist>& changes) {
        for (const auto& change : changes) std::visit([this](const auto& one) { take(one); }, change);
    }
    masterd::core::Inheritance read() const {
        masterd::core::Inheritance inheritance;
        for (const auto& [id, record] : agents_) inheritance.agents.push_back(record);
        inheritance.ended_frameworks = ended_frameworks_;
        inheritance.role_orders = role_orders_;
        return inheritance;
    }

  private:
    void take(const masterd::core::PersistAgent& one) { agents_[one.record.id] = one.record; }
    void take(const masterd::core::ForgetAgent& one) { agents_.erase(one.id); }
    void take(const masterd::core::PersistEndedFramework& one) { ended_frameworks_.push_back(one.id); }
    void take(const masterd::core::ForgetEndedFramework& one) { std::erase(ended_frameworks_, one.id); }
    void take(const masterd::core::PersistRoleOrders& one) {
        if (one.orders.are_default())
            role_orders_.erase(one.role);
        else
            role_orders_[one.role] = one.orders;
    }

    std::map<base::AgentId, masterd::core::AgentRecord> agents_;
    std::vector<base::FrameworkId> ended_frameworks_;
    masterd::core::OrdersByRole role_orders_;
};

}  // namespace fairlead::tests
