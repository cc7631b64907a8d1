// What the two sockets answer: a table of routes each. The service socket is for clients; the admin
// socket, 0600, for whoever may read everyone's prompts. docs/man/glyphwardd.8 describes each
// endpoint.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/http/exchange.h"
#include "daemon/http/routes.h"
#include "daemon/service/config.h"
#include "daemon/service/engine.h"
#include "daemon/service/policy_store.h"

namespace glyphward::daemon {

// Why requests cannot be answered now: "model: FILE: KEY: ...", one line per part; empty when all
// is ready.
std::string not_ready_reason(const EngineStatus& engine, const PolicyStore& policy);

// 503 with that reason.
Response not_ready(const std::string& reason);

// What both sockets answer alike: GET /healthz (the process answers), GET /readyz (200 {"ready":
// true}, or 503 with "reason" and an error object).
std::vector<Route> probe_routes(const Engine& engine, const PolicyStore& policy);

// GET /metrics on the admin socket: Prometheus' text format.
Response metrics_response(const EngineStatus& engine, const PolicyStore& policy,
                          int queue_size_max);

// Both live as long as engine and policy do, and are used on the io thread.
class ServiceApi {
 public:
  ServiceApi(Engine& engine, PolicyStore& policy, const Limits& limits);
  ServiceApi(const ServiceApi&) = delete;  // its routes point here
  ServiceApi& operator=(const ServiceApi&) = delete;
  const Routes& routes() const { return routes_; }

 private:
  std::vector<Route> table();
  boost::asio::awaitable<Response> generations(std::shared_ptr<Exchange> exchange);
  boost::asio::awaitable<Response> moderations(std::shared_ptr<Exchange> exchange);
  Response models() const;

  Engine& engine_;
  PolicyStore& policy_;
  const Limits limits_;
  const Routes routes_;
};

class AdminApi {
 public:
  // `reload` reloads the policy as SIGHUP does; it gives the reason of a failure.
  AdminApi(Engine& engine, PolicyStore& policy, const Config& config,
           std::function<boost::asio::awaitable<std::string>()> reload);
  AdminApi(const AdminApi&) = delete;  // its routes point here
  AdminApi& operator=(const AdminApi&) = delete;
  const Routes& routes() const { return routes_; }

 private:
  std::vector<Route> table();
  boost::asio::awaitable<Response> decisions(std::shared_ptr<Exchange> exchange);
  boost::asio::awaitable<Response> decision(std::shared_ptr<Exchange> exchange);
  boost::asio::awaitable<Response> reload_policy();
  Response status() const;

  Engine& engine_;
  PolicyStore& policy_;
  const Config config_;
  const std::function<boost::asio::awaitable<std::string>()> reload_;
  const Routes routes_;
};

}  // namespace glyphward::daemon
