#pragma once

#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace regimen::inline v0::detail {

/// An address as numbers: "10.0.0.7".
inline std::string numeric(const sockaddr* address, socklen_t length) {
  char text[NI_MAXHOST];
  return ::getnameinfo(address, length, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0 ? text : "";
}

inline bool is_loopback(const std::string& address) {
  return address.rfind("127.", 0) == 0 || address == "::1";
}

/// The address of this host from which a route leads to `host`; empty if none does.
inline std::string address_towards(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_DGRAM;
  addrinfo* list = nullptr;
  if (::getaddrinfo(host.c_str(), "9", &wanted, &list) != 0) {
    return "";
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
  for (const addrinfo* each = list; each != nullptr; each = each->ai_next) {
    const int socket = ::socket(each->ai_family, each->ai_socktype, each->ai_protocol);
    if (socket < 0) {
      continue;
    }
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    // Sends nothing: it only looks up the route.
    const bool found = ::connect(socket, each->ai_addr, each->ai_addrlen) == 0 &&
                       ::getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) == 0;
    ::close(socket);
    if (found) {
      return numeric(reinterpret_cast<sockaddr*>(&own), length);
    }
  }
  return "";
}

/// The first address of this host that others can reach; empty if there is none.
inline std::string outer_address() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) {
    return "";
  }
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
  for (const ifaddrs* each = list; each != nullptr; each = each->ifa_next) {
    const bool is_up = (each->ifa_flags & IFF_UP) != 0 && (each->ifa_flags & IFF_LOOPBACK) == 0;
    if (is_up && each->ifa_addr != nullptr && each->ifa_addr->sa_family == AF_INET) {
      return numeric(each->ifa_addr, sizeof(sockaddr_in));
    }
  }
  return "";
}

/// The address at which processes on other hosts reach this one. Debian gives a host its own name at 127.0.1.1, which
/// Gloo would tell the others.
inline std::string own_address(const std::string& meeting_host, bool one_host) {
  if (one_host) {
    return "127.0.0.1";
  }
  const std::string towards = meeting_host.empty() ? "" : address_towards(meeting_host);
  return towards.empty() || is_loopback(towards) ? outer_address() : towards;
}

}  // namespace regimen::inline v0::detail
