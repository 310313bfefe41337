#include "common/detection/master_znode.hpp"

#include "common/wire/json.hpp"
#include "common/zookeeper/paths.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <array>

namespace fairlead::detection {
namespace {

namespace json = boost::json;

// Of Mesos' replicated log. Ours has a place of its own.
constexpr std::string_view known_neighbour = "log_replicas";

json::value with_sorted_keys(const json::value& value) {
    if (const auto* object = value.if_object()) {
        std::vector<std::string_view> keys;
        for (const auto& [key, inner] : *object) keys.emplace_back(key);
        std::sort(keys.begin(), keys.end());
        json::object sorted;
        for (const auto key : keys) sorted[key] = with_sorted_keys(object->at(key));
        return sorted;
    }
    if (const auto* array = value.if_array()) {
        json::array all;
        for (const auto& inner : *array) all.push_back(with_sorted_keys(inner));
        return all;
    }
    return value;
}

std::string with_port(const std::string& host, std::uint32_t port) {
    const bool v6 = host.find(':') != std::string::npos;
    return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

// In memory its bytes are in network order, whatever the machine's order is.
std::string dotted(std::uint32_t ip) {
    std::array<unsigned char, 4> bytes;
    std::memcpy(bytes.data(), &ip, sizeof ip);
    std::string text;
    for (const unsigned char byte : bytes) text += (text.empty() ? "" : ".") + std::to_string(byte);
    return text;
}

std::uint32_t port_of(const v1::MasterInfo& info) {
    return info.has_address() ? static_cast<std::uint32_t>(info.address().port()) : info.port();
}

std::string ip_of(const v1::MasterInfo& info) {
    return info.address().has_ip() ? info.address().ip() : dotted(info.ip());
}

}  // namespace

std::string to_znode(const v1::MasterInfo& info) {
    return json::serialize(with_sorted_keys(json::parse(wire::to_json(info))));
}

base::Result<v1::MasterInfo> from_znode(std::string_view data) {
    const auto bad = [](const std::string& why) { return base::Error(base::ErrorCode::malformed, why); };
    if (data.size() > znode_bytes_max)
        return bad(std::to_string(data.size()) + " bytes are more than any master writes");
    v1::MasterInfo info;
    if (auto parsed = wire::from_json(data, info); !parsed) return parsed.error();
    if (port_of(info) == 0 || port_of(info) > 65535) return bad("the port is not one");
    if (!info.address().has_ip() && info.ip() == 0) return bad("it tells no address");
    return info;
}

std::string authority_of(const v1::MasterInfo& info) {
    const std::string& hostname = info.address().has_hostname() ? info.address().hostname() : info.hostname();
    return with_port(hostname.empty() ? ip_of(info) : hostname, port_of(info));
}

std::string address_of(const v1::MasterInfo& info) { return with_port(ip_of(info), port_of(info)); }

Children sort_children(const std::vector<std::string>& names) {
    Children children;
    for (const std::string& name : names) {
        if (name.starts_with(znode_prefix) && zookeeper::sequence_of(name))
            children.contenders.push_back(name);
        else if (name != known_neighbour)
            children.foreign.push_back(name);
    }
    std::sort(children.contenders.begin(), children.contenders.end(), [](const std::string& a, const std::string& b) {
        return std::pair(*zookeeper::sequence_of(a), a) < std::pair(*zookeeper::sequence_of(b), b);
    });
    std::sort(children.foreign.begin(), children.foreign.end());
    return children;
}

}  // namespace fairlead::detection
