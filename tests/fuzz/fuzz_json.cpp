// Any text is either refused with a message or read into a message whose JSON, read again, is the
// same JSON: reading loses nothing that writing shows.

#include "common/wire/json.hpp"
#include "fairlead/v1/mesos.pb.h"
#include "fairlead/v1/scheduler.pb.h"
#include "tests/fuzz/target.hpp"

#include <string_view>

namespace {

template <typename Message>
void try_message(std::string_view text) {
    using fairlead::fuzz::expect;
    Message message;
    const auto status = fairlead::wire::from_json(text, message);
    if (!status) {
        expect(status.error().code() == fairlead::base::ErrorCode::malformed,
               "a refusal is `malformed`");
        expect(!status.error().message().empty(), "a refusal says why");
        return;
    }
    expect(message.IsInitialized(), "what was read has its required fields");
    const std::string written = fairlead::wire::to_json(message);
    for (const char c : written) expect(c >= 0x20 && c < 0x7f, "JSON is printable ASCII");
    Message again;
    expect(fairlead::wire::from_json(written, again).has_value(), "what was written can be read");
    expect(fairlead::wire::to_json(again) == written, "what was read again is the same");
}

}  // namespace

std::vector<std::string> fairlead::fuzz::seeds() {
    return {
        R"({"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"root","name":"demo","roles":["test"],)"
        R"("failover_timeout":3.6e+06,"capabilities":[{"type":"MULTI_ROLE"}],"labels":{"labels":[{"key":"k"}]},)"
        R"("offer_filters":{"test":{"min_allocatable_resources":{"quantities":[{"quantities":{"cpus":{"value":1}}}]}}}}}})",
        R"({"type":"ACKNOWLEDGE","acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"EwrkwmsTTvS6qZ8uhcPprw=="}})",
        R"({"name":"n","task_id":{"value":"t"},"agent_id":{"value":"a"},"limits":{"cpus":{"value":"Infinity"}},)"
        R"("resources":[{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":"31217","end":31300}]}}],)"
        R"("command":{"shell":"true","value":"echo \ud83d\ude00","environment":{"variables":[{"name":"A","value":null}]}}})",
        R"({"value":"c","parent":{"value":"p","parent":{"value":"g"}}})",
        R"({"unknown":[{"a":[null,true,1.5,"x"]}]})",
    };
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try_message<fairlead::v1::scheduler::Call>(text);
    try_message<fairlead::v1::TaskInfo>(text);
    try_message<fairlead::v1::ContainerID>(text);
    return 0;
}
