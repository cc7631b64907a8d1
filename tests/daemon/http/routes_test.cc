// The table that answers, and the two tables of the daemon against their manual page: an endpoint
// that is not described there fails.
#include "daemon/http/routes.h"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <stdexcept>

#include "daemon/http/api.h"
#include "daemon/http/api_error.h"

namespace glyphward::daemon {
namespace {

namespace asio = boost::asio;

// A handler that says its name and what it was given.
Handler named(const std::string& name) {
  return [name](std::shared_ptr<Exchange> exchange) -> asio::awaitable<Response> {
    Response response;
    response.body = name + ":" + exchange->parameter;
    co_return response;
  };
}

Response ask(const Routes& routes, const std::string& method, const std::string& target) {
  asio::io_context io;
  auto exchange = std::make_shared<Exchange>();
  exchange->method = method;
  exchange->target = target;
  auto answer = asio::co_spawn(io, routes.answer(exchange), asio::use_future);
  io.run();
  return answer.get();
}

std::string header(const Response& response, const std::string& name) {
  for (const auto& [known, value] : response.headers) {
    if (known == name) return value;
  }
  return "";
}

class RoutesTest : public ::testing::Test {
 protected:
  const Routes routes_{{{"GET", "/a", named("get a")},
                        {"POST", "/a", named("post a")},
                        {"GET", "/a/all", named("all")},
                        {"GET", "/a/{id}", named("one")}}};
};

TEST_F(RoutesTest, ChoosesByMethodAndPathAndPassesOverTheQuery) {
  EXPECT_EQ(ask(routes_, "GET", "/a").body, "get a:");
  EXPECT_EQ(ask(routes_, "POST", "/a?b=/c").body, "post a:");
  EXPECT_EQ(ask(routes_, "GET", "/a/all").body, "all:");
}

TEST_F(RoutesTest, GivesTheParameterWhatFollows) {
  EXPECT_EQ(ask(routes_, "GET", "/a/17?b").body, "one:17");
  EXPECT_EQ(ask(routes_, "GET", "/a/").body, "one:");
  EXPECT_EQ(ask(routes_, "GET", "/a/b/c").body, "one:b/c");
}

TEST_F(RoutesTest, AnswersAnUnknownPathItself) {
  for (const char* path : {"/", "", "/b", "/aa", "/A", "*", "a"}) {
    EXPECT_EQ(ask(routes_, "GET", path).status, 404) << path;
  }
  const Response response = ask(routes_, "PUT", "/" + std::string(300, 'b') + "?c");
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.body, R"({"error":{"message":"no such path: PUT /)" + std::string(199, 'b') +
                               R"(","type":"invalid_request_error","param":null,)"
                               R"("code":"unknown_url"}})");
  EXPECT_EQ(header(response, "x-should-retry"), "false");
}

TEST_F(RoutesTest, AnswersAnotherMethodItselfAndListsThoseThatArePossible) {
  const Response one = ask(routes_, "DELETE", "/a/17");
  EXPECT_EQ(one.status, 405);
  EXPECT_EQ(header(one, "Allow"), "GET");
  EXPECT_EQ(one.body,
            R"({"error":{"message":"this path answers GET only","type":"invalid_request_error",)"
            R"("param":null,"code":"method_not_allowed"}})");
  EXPECT_EQ(header(ask(routes_, "DELETE", "/a"), "Allow"), "GET, POST");
}

TEST(Routes, RefusesATableThatDoesNotSayWhoAnswers) {
  const auto make = [](std::vector<std::string> paths) {
    std::vector<Route> routes;
    for (std::string& path : paths) routes.push_back({"GET", std::move(path), named("x")});
    return Routes(std::move(routes));
  };
  EXPECT_THROW(make({"/a", "/a"}), std::invalid_argument);
  EXPECT_THROW(make({"/a/{b}", "/a/{c}"}), std::invalid_argument);
  EXPECT_THROW(make({"a"}), std::invalid_argument);
  EXPECT_THROW(make({""}), std::invalid_argument);
  EXPECT_THROW(make({"/a{b}"}), std::invalid_argument);
  EXPECT_THROW(make({"/a/{b}/c"}), std::invalid_argument);
  EXPECT_NO_THROW(make({"/a", "/a/{b}"}));
}

// ---- The daemon's own tables

using Endpoints = std::set<std::string>;  // "GET /v1/decisions/{}": without the parameter's name

Endpoints endpoints_of(const Routes& routes) {
  Endpoints endpoints;
  for (const Route& route : routes.list()) {
    const auto parameter = route.path.find('{');
    const std::string path =
        route.path.substr(0, parameter) + (parameter == std::string::npos ? "" : "{}");
    endpoints.insert(route.method + " " + path);
  }
  return endpoints;
}

// What a section of glyphwardd(8) describes. A parameter is written there in capital letters.
Endpoints endpoints_in_manual(const std::string& section) {
  std::ifstream file(GLYPHWARD_SOURCE_DIR "/docs/man/glyphwardd.8");
  std::string page{std::istreambuf_iterator<char>(file), {}};
  page = std::regex_replace(page, std::regex(R"(\\f.)"), "");
  const auto start = page.find("\n.SH " + section + "\n");
  if (start == std::string::npos) return {};
  const std::string text = page.substr(start + 1, page.find("\n.SH ", start + 1) - start);
  Endpoints endpoints;
  const std::regex endpoint("(GET|POST|PUT|PATCH|DELETE) (/[a-z0-9_/]*)([A-Z_]*)");
  for (std::sregex_iterator found(text.begin(), text.end(), endpoint), end; found != end; ++found) {
    endpoints.insert((*found)[1].str() + " " + (*found)[2].str() +
                     ((*found)[3].length() > 0 ? "{}" : ""));
  }
  return endpoints;
}

TEST(Endpoints, AreThoseOfTheManualPage) {
  asio::io_context io;
  Engine engine(io, {}, {}, [] {});
  PolicyStore policy(io, {});
  const ServiceApi service(engine, policy, {});
  const AdminApi admin(engine, policy, {}, {});
  EXPECT_EQ(endpoints_of(service.routes()), endpoints_in_manual("SERVICE SOCKET"));
  // The page describes the probes once, with the service socket.
  Endpoints described = endpoints_in_manual("ADMIN SOCKET");
  described.merge(endpoints_of(Routes(probe_routes(engine, policy))));
  EXPECT_EQ(endpoints_of(admin.routes()), described);
}

}  // namespace
}  // namespace glyphward::daemon
