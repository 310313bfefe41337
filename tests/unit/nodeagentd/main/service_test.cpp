#include "nodeagentd/service.hpp"

#include <gtest/gtest.h>

namespace fairlead::nodeagentd {
namespace {

TEST(StatusLine, TellsWhatTheAgentIsAbout) {
    core::State state;
    state.agent_id = base::AgentId("c-S1");
    state.total = resources::Resources::parse("cpus:4;mem:7000").value();
    state.used = resources::Resources::parse("cpus:1.5;mem:512").value();
    state.containers[base::ContainerId("a")].record.set_phase(internal::ContainerRecord::RUNNING);
    EXPECT_EQ(status_line(state), "taking back what the last process left: 1 task running");
    state.settled = true;
    EXPECT_EQ(status_line(state), "looking for a master: 1 task running");
    state.turned_away = "this agent belongs to cluster c";
    EXPECT_EQ(status_line(state), "turned away, trying again: this agent belongs to cluster c; 1 task running");
    state.turned_away.clear();
    state.link = core::LinkId{1};
    state.master = "master1:5050";
    EXPECT_EQ(status_line(state), "registering with master1:5050: 1 task running");
    state.registered = true;
    state.containers[base::ContainerId("b")].record.set_phase(internal::ContainerRecord::RUNNING);
    state.containers[base::ContainerId("c")].record.set_phase(internal::ContainerRecord::STARTING);
    state.containers[base::ContainerId("d")].record.set_phase(internal::ContainerRecord::ENDED);
    EXPECT_EQ(status_line(state),
              "registered with master1:5050 as c-S1: 2 tasks running, 1 starting; "
              "cpus 1.5 of 4, mem 512 of 7000 MB taken");
}

}  // namespace
}  // namespace fairlead::nodeagentd
