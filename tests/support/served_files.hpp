#pragma once
// The part of an agent that gives out files: READ_FILE in protobuf, from a map of paths.

#include "common/http/message.hpp"
#include "fairlead/v1/agent.pb.h"

#include <algorithm>
#include <map>
#include <string>

namespace fairlead::tests {

using ServedFiles = std::map<std::string, std::string>;  // contents by "/tasks/<framework>/<task>/<file>"

inline http::Response answer_read_file(const ServedFiles& files, const http::Request& request) {
    v1::agent::Call call;
    if (request.path != "/api/v1" || !call.ParseFromString(request.body) || !call.has_read_file())
        return http::text_response(400, "");
    const auto found = files.find(call.read_file().path());
    if (found == files.end()) return http::text_response(404, "");
    const auto offset = std::min<std::size_t>(call.read_file().offset(), found->second.size());
    v1::agent::Response response;
    response.set_type(v1::agent::Response::READ_FILE);
    response.mutable_read_file()->set_size(found->second.size());
    response.mutable_read_file()->set_data(found->second.substr(offset));
    return http::text_response(200, response.SerializeAsString());
}

}  // namespace fairlead::tests
