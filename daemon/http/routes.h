// A socket's endpoints as a table. It knows no API: it finds who answers, and answers itself where
// nobody does. Immutable once built; io thread only, as the handlers are.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/http/exchange.h"

namespace glyphward::daemon {

struct Route {
  std::string method;  // "GET"
  // Exact; or with one parameter at its end: "/v1/decisions/{id}" takes every path that begins with
  // "/v1/decisions/", and what follows (slashes too, or nothing) becomes Exchange::parameter.
  std::string path;
  Handler handler;
};

class Routes {
 public:
  // The first route that fits a path and a method answers, so an exact path comes before a
  // parameter that would take it too. std::invalid_argument where a method and path come twice, or
  // a path is not as above.
  explicit Routes(std::vector<Route> routes);

  // A path that no route fits is a 404; one that is asked for in another method is a 405, and its
  // Allow header lists those that are answered.
  boost::asio::awaitable<Response> answer(std::shared_ptr<Exchange> exchange) const;

  const std::vector<Route>& list() const { return routes_; }

 private:
  std::vector<Route> routes_;
};

// The handler of what needs neither the request nor to wait.
Handler at_once(std::function<Response()> answer);

}  // namespace glyphward::daemon
