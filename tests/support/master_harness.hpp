#pragma once
// A master's core with everything around it played by the test: time stands until it is moved,
// every effect is sorted to the one it is for, and the invariants are checked after every step.
// Allocation follows each step that wants one, as the driver does it when nothing else waits.

#include "allocator/portion.hpp"
#include "masterd/core/core.hpp"
#include "masterd/core/invariants.hpp"
#include "tests/support/master_messages.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include <map>

namespace fairlead::tests {

// Offers all that an agent has to the framework that holds the least cpus and has not refused it.
class HungriestFirst final : public allocator::Module {
  public:
    allocator::Plan plan(const allocator::Snapshot& snapshot, const allocator::Changes&) override {
        allocator::Plan plan;
        std::vector<std::int64_t> given(snapshot.frameworks.size());
        for (allocator::AgentSlot agent = 0; agent < snapshot.agents.size(); ++agent) {
            const auto& entry = snapshot.agents[agent];
            if (!entry.offerable || entry.available.empty()) continue;
            std::optional<allocator::OfferLine> best;
            std::int64_t best_held = 0;
            for (allocator::FrameworkSlot slot = 0; slot < snapshot.frameworks.size(); ++slot) {
                if (!snapshot.frameworks[slot].active) continue;
                for (const auto& claim : snapshot.frameworks[slot].claims) {
                    const base::Role& role = snapshot.roles[claim.role].name;
                    auto part = allocator::for_any_task(entry).available_to(role);
                    const auto held = claim.allocated.of("cpus").thousandths() + given[slot];
                    if (claim.suppressed || part.empty() || (best && best_held <= held) ||
                        snapshot.filters.refused(slot, role, agent, part) ||
                        !snapshot.constraints.allow(slot, role, agent))
                        continue;
                    best = allocator::OfferLine{slot, claim.role, agent, std::move(part)};
                    best_held = held;
                }
            }
            if (!best) continue;
            given[best->framework] += best->resources.cpus().thousandths();
            plan.offers.push_back(std::move(*best));
        }
        return plan;
    }
};

struct ScriptedModule final : allocator::Module {
    allocator::Plan next;
    allocator::Plan plan(const allocator::Snapshot&, const allocator::Changes&) override {
        return std::exchange(next, {});
    }
};

class MasterHarness {
  public:
    using Event = v1::scheduler::Event;
    using Call = v1::scheduler::Call;

    explicit MasterHarness(masterd::core::CoreOptions options = {},
                           std::unique_ptr<allocator::Module> module = nullptr)
        : core(std::move(options), module ? std::move(module) : std::make_unique<HungriestFirst>(),
               1) {
        lead(1);
    }

    // As a process leads again: under the same name.
    void lead(std::uint64_t epoch, std::optional<base::Instant> lease_until = {},
              masterd::core::Inheritance inheritance = {}) {
        masterd::core::LeadershipGained gained{epoch, {}, std::move(inheritance), lease_until};
        gained.master_info.set_id("m");
        gained.master_info.set_ip(16777343);
        gained.master_info.set_port(5050);
        gained.master_info.mutable_domain()->mutable_fault_domain()->mutable_region()->set_name("here");
        gained.master_info.mutable_domain()->mutable_fault_domain()->mutable_zone()->set_name("z");
        step(gained);
    }

    masterd::core::Output step(const masterd::core::Input& input, std::optional<base::Instant> heard_until = {}) {
        auto output = core.step(now, input, heard_until);
        keep(output);
        bool wanted = output.allocation_wanted;
        for (int plans = 0; wanted && plans < plans_max; ++plans) {  // one may make room for another
            const auto allocated = core.step(now, masterd::core::AllocationDue{}, heard_until);
            keep(allocated);
            wanted = allocated.allocation_wanted;
        }
        return output;
    }

    void pass(base::Duration time) {
        const auto until = now.instant + time;
        while (core.next_deadline() && *core.next_deadline() <= until) {
            move_to(*core.next_deadline());
            step(masterd::core::TimePassed{});
        }
        move_to(until);
    }

    // Of a process that was stopped, as the driver tells it: nothing that is due comes before.
    void sleep(base::Duration time) {
        move_to(now.instant + time);
        step(masterd::core::Awoke{});
    }

    // --- schedulers ---
    masterd::core::RequestId post(const Call& call, std::optional<std::string> stream = {},
                                  std::string principal = {}) {
        const auto request = masterd::core::RequestId(next_request_++);
        step(masterd::core::CallArrived{request, std::make_shared<const Call>(call), stream,
                                        principal});
        return request;
    }
    struct Scheduler {
        std::string id;
        std::string stream_id;
        masterd::core::RequestId stream;
    };
    Scheduler subscribe(const v1::FrameworkInfo& info = framework_info()) {
        const auto request = post(subscribe_call(info));
        Scheduler scheduler{{}, stream_ids[request], request};
        for (const auto& event : events[request])
            if (event->has_subscribed()) scheduler.id = event->subscribed().framework_id().value();
        return scheduler;
    }
    unsigned send(const Scheduler& from, const Call& call) {
        return replies[post(call, from.stream_id)].status;
    }
    std::vector<std::shared_ptr<const Event>> take(const Scheduler& of, Event::Type type) {
        std::vector<std::shared_ptr<const Event>> taken;
        std::erase_if(events[of.stream], [&](const auto& event) {
            if (event->type() != type) return false;
            taken.push_back(event);
            return true;
        });
        return taken;
    }
    std::vector<v1::Offer> take_offers(const Scheduler& of) {
        std::vector<v1::Offer> offers;
        for (const auto& event : take(of, Event::OFFERS))
            for (const auto& offer : event->offers().offers()) offers.push_back(offer);
        return offers;
    }
    std::vector<v1::TaskStatus> take_updates(const Scheduler& of) {
        std::vector<v1::TaskStatus> statuses;
        for (const auto& event : take(of, Event::UPDATE))
            statuses.push_back(event->update().status());
        return statuses;
    }

    // --- agents ---
    masterd::core::LinkId open_link() {
        const auto link = masterd::core::LinkId(next_link_++);
        step(masterd::core::LinkOpened{link, "10.0.0.1"});
        return link;
    }
    void say(masterd::core::LinkId link, const internal::FromAgent& message) {
        step(
            masterd::core::LinkMessage{link, std::make_shared<const internal::FromAgent>(message)});
    }
    struct Host {
        std::string id;
        masterd::core::LinkId link;
    };
    Host join(const internal::FromAgent& registration) {
        Host host{{}, open_link()};
        say(host.link, registration);
        for (const auto& message : to_agents[host.link])
            if (message->has_registered()) host.id = message->registered().agent_id().value();
        return host;
    }
    Host join(const std::string& hostname = "host1") {
        return join(register_message(agent_info(hostname)));
    }
    void answer_ping(const Host& of) {
        internal::FromAgent message;
        message.mutable_pong();
        say(of.link, message);
    }
    // The host has written down all that it was told to keep reserved.
    void confirm_reservations(const Host& of) {
        internal::FromAgent message;
        message.mutable_reservations_kept()->set_number(
            core.state().books.agent(base::AgentId(of.id))->reservations_told);
        say(of.link, message);
    }
    std::vector<std::shared_ptr<const internal::FromMaster>> take(const Host& of) {
        return std::exchange(to_agents[of.link], {});
    }

    const masterd::core::Framework& framework(const Scheduler& of) const {
        return *core.state().books.framework(base::FrameworkId(of.id));
    }
    const resources::Resources& available(const Host& of) const {
        const auto& books = core.state().books;
        return books.agent_entries()[books.agent(base::AgentId(of.id))->slot].available;
    }

    masterd::core::Core core;
    bool check_invariants = true;  // a test with very many peers may do it once, at its end
    base::Moment now{base::Instant(std::chrono::hours(1)), base::WallTime(std::chrono::hours(9))};
    std::map<masterd::core::RequestId, masterd::core::Reply> replies;
    std::map<masterd::core::RequestId, std::string> stream_ids;
    std::map<masterd::core::RequestId, std::vector<std::shared_ptr<const Event>>> events;
    std::vector<masterd::core::RequestId> closed_streams;
    std::map<masterd::core::LinkId, std::vector<std::shared_ptr<const internal::FromMaster>>>
        to_agents;
    std::vector<masterd::core::LinkId> closed_links;
    std::vector<masterd::core::Report> reports;
    std::vector<masterd::core::Persist> persisted;

  private:
    static constexpr int plans_max = 10;

    void move_to(base::Instant instant) {
        now.wall += instant - now.instant;
        now.instant = instant;
    }
    void keep(const masterd::core::Output& output) {
        using namespace masterd::core;
        for (const Effect& effect : output.effects) {
            if (const auto* reply = std::get_if<Reply>(&effect)) {
                EXPECT_FALSE(replies.contains(reply->request)) << "a second reply to one request";
                replies[reply->request] = *reply;
            } else if (const auto* open = std::get_if<OpenStream>(&effect)) {
                stream_ids[open->request] = open->stream_id;
            } else if (const auto* event = std::get_if<SendEvent>(&effect)) {
                EXPECT_TRUE(event->event->IsInitialized()) << event->event->DebugString();
                EXPECT_TRUE(stream_ids.contains(event->stream)) << "an event to no open stream";
                events[event->stream].push_back(event->event);
            } else if (const auto* close = std::get_if<CloseStream>(&effect)) {
                closed_streams.push_back(close->stream);
            } else if (const auto* message = std::get_if<SendToAgent>(&effect)) {
                EXPECT_TRUE(message->message->IsInitialized());
                EXPECT_EQ(message->message->epoch(), core.state().epoch);
                to_agents[message->link].push_back(message->message);
            } else if (const auto* end = std::get_if<CloseLink>(&effect)) {
                closed_links.push_back(end->link);
            }
        }
        reports.insert(reports.end(), output.reports.begin(), output.reports.end());
        persisted.insert(persisted.end(), output.persist.begin(), output.persist.end());
        if (!check_invariants) return;
        for (const auto& complaint : invariants_.check(core.state())) ADD_FAILURE() << complaint;
    }

    masterd::core::Invariants invariants_;
    std::uint64_t next_request_ = 1;
    std::uint64_t next_link_ = 1;
};

}  // namespace fairlead::tests
