// What the two sockets answer. The service socket is for clients; the admin socket, 0600, for who
// may read everyone's prompts.
//
//   service  POST /v1/images/generations, POST /v1/moderations, GET /v1/models
//   admin    GET /v1/decisions, GET /v1/decisions/{sequence or request id}, GET /v1/status,
//            POST /v1/policy/reload, GET /metrics
//   both     GET /healthz, GET /readyz
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "daemon/http/http_server.h"
#include "daemon/service/config.h"
#include "daemon/service/engine.h"
#include "daemon/service/policy_store.h"

namespace glyphward::daemon {

// Why requests cannot be answered now: "model: FILE: KEY: ...", one line a part; empty when all is
// ready.
std::string not_ready_reason(const EngineStatus& engine, const PolicyStore& policy);

// Both live as long as engine and policy do, and are used on the io thread.
class ServiceApi {
 public:
  ServiceApi(Engine& engine, PolicyStore& policy, const Limits& limits)
      : engine_(engine), policy_(policy), limits_(limits) {}
  boost::asio::awaitable<Response> handle(std::shared_ptr<Exchange> exchange);

 private:
  boost::asio::awaitable<Response> generations(std::shared_ptr<Exchange> exchange);
  boost::asio::awaitable<Response> moderations(std::shared_ptr<Exchange> exchange);
  Response models() const;

  Engine& engine_;
  PolicyStore& policy_;
  const Limits limits_;
};

class AdminApi {
 public:
  // `reload` reloads the policy as SIGHUP does; it gives the reason of a failure.
  AdminApi(Engine& engine, PolicyStore& policy, const Config& config,
           std::function<boost::asio::awaitable<std::string>()> reload)
      : engine_(engine), policy_(policy), config_(config), reload_(std::move(reload)) {}
  boost::asio::awaitable<Response> handle(std::shared_ptr<Exchange> exchange);

 private:
  boost::asio::awaitable<Response> decisions(std::shared_ptr<Exchange> exchange);
  boost::asio::awaitable<Response> decision(std::string id);
  boost::asio::awaitable<Response> reload_policy();
  Response status() const;

  Engine& engine_;
  PolicyStore& policy_;
  const Config config_;
  const std::function<boost::asio::awaitable<std::string>()> reload_;
};

}  // namespace glyphward::daemon
