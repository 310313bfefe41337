// The body of a POST to the scheduler API, in both encodings: refused, or read into a call that can
// be carried on in either of them.

#include "common/wire/media.hpp"
#include "fairlead/v1/scheduler.pb.h"
#include "tests/fuzz/target.hpp"

#include <string_view>

namespace {

using fairlead::v1::scheduler::Call;
using fairlead::wire::ContentType;

Call accept_call() {
    Call call;
    call.mutable_framework_id()->set_value("f-0000");
    call.set_type(Call::ACCEPT);
    call.mutable_accept()->add_offer_ids()->set_value("m-O1");
    auto& operation = *call.mutable_accept()->add_operations();
    operation.set_type(fairlead::v1::Offer::Operation::LAUNCH);
    auto& task = *operation.mutable_launch()->add_task_infos();
    task.set_name("task");
    task.mutable_task_id()->set_value("t1");
    task.mutable_agent_id()->set_value("m-S1");
    task.mutable_command()->set_value("sleep 1");
    task.set_data(std::string("\0\xff", 2));
    auto& resource = *task.add_resources();
    resource.set_name("cpus");
    resource.set_type(fairlead::v1::Value::SCALAR);
    resource.mutable_scalar()->set_value(0.1);
    (*task.mutable_limits())["cpus"].set_value(2);
    return call;
}

}  // namespace

std::vector<std::string> fairlead::fuzz::seeds() {
    Call kill;
    kill.set_type(Call::KILL);
    kill.mutable_kill()->mutable_task_id()->set_value("t1");
    std::vector<std::string> seeds;
    for (const Call& call : {accept_call(), kill}) {
        for (const ContentType type : {ContentType::json, ContentType::protobuf}) {
            seeds.push_back(wire::serialize(type, call));
        }
    }
    return seeds;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using fairlead::fuzz::expect;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    for (const ContentType type : {ContentType::json, ContentType::protobuf}) {
        Call call;
        if (!fairlead::wire::parse(type, body, call)) continue;
        expect(call.IsInitialized(), "what was read has its required fields");
        for (const ContentType next : {ContentType::json, ContentType::protobuf}) {
            Call carried;
            expect(fairlead::wire::parse(next, fairlead::wire::serialize(next, call), carried)
                       .has_value(),
                   "what was read can be carried on");
        }
    }
    return 0;
}
