#pragma once
// What one framework is offered of one agent, until it answers.

#include "masterd/core/slots.hpp"
#include "masterd/core/timers.hpp"

#include <optional>
#include <string>

namespace fairlead::masterd::core {

struct Offer {
    base::OfferId id;
    FrameworkSlot framework = 0;
    AgentSlot agent = 0;
    base::Role role;
    resources::Resources resources;
    std::optional<base::Duration> max_task_duration;
    std::string gang;  // of the request that it answers
    base::Instant since{};
    Timers::Handle timeout;
    std::size_t position_in_framework = 0;
    std::size_t position_on_agent = 0;
};

}  // namespace fairlead::masterd::core
