"""Two upstreams whose types have the same names: every method is served with the types of its own upstream."""
import grpc
import pytest
from google.protobuf import descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from support import http1
from support.configuration import configuration, run_gateway, write
from support.gateway_process import run
from support.shops import INT32, INT64, ITEM_FILE, STRING, Shop


@pytest.fixture(scope="module")
def orders():
    """Its services are learned by reflection."""
    shop = Shop("Orders", [("id", STRING), ("price", INT32)], [("code", INT32)], has_reflection=True)
    yield shop
    shop.stop()


@pytest.fixture(scope="module")
def stock():
    """Its services come from a file."""
    shop = Shop("Stock", [("id", INT64), ("[tags]", STRING)], [("shelf", INT64)])
    yield shop
    shop.stop()


@pytest.fixture(scope="module")
def content(orders, stock, tmp_path_factory):
    descriptors = tmp_path_factory.mktemp("shops") / "stock.binpb"
    descriptors.write_bytes(stock.files.SerializeToString())
    rule = {"selector": "shop.Stock.Echo", "get": "/stock/{id}"}
    return configuration(
        "", upstreams={"orders": {"target": orders.target}, "stock": {"target": stock.target}},
        services=[{"upstream": "orders", "descriptors": {"reflection": True},
                   "rules": [{"selector": "shop.Orders.Echo", "get": "/orders/{id}"}]},
                  {"upstream": "stock", "descriptors": {"file": str(descriptors)}, "rules": [rule]}])


@pytest.fixture(scope="module")
def shops(content, tmp_path_factory):
    process = run_gateway(tmp_path_factory.mktemp("gateway"), content)
    yield process
    process.stop()


def post(gateway, path, body):
    return http1.request(gateway.port, "POST", path, body, {"content-type": "application/json"})


@pytest.mark.parametrize("service, item", [("Orders", {"id": "a", "price": 3}), ("Stock", {"id": "12", "tags": ["x", "y"]})])
def test_messages_have_the_types_of_their_upstream(shops, service, item):
    answer = post(shops, f"/shop.{service}/Echo", item)
    assert (answer.status, answer.json) == (200, item)


@pytest.mark.parametrize("service, wrong", [("Orders", {"price": "x"}), ("Stock", {"id": "x"})])
def test_what_does_not_fit_them_is_refused(shops, service, wrong):
    assert post(shops, f"/shop.{service}/Echo", wrong).status == 400


def test_path_and_query_bind_to_them(shops, orders, stock):
    assert http1.request(shops.port, "GET", "/orders/a?price=3").json == {"id": "a", "price": 3}
    assert orders.received[-1] == orders.item(id="a", price=3)
    assert http1.request(shops.port, "GET", "/stock/12?tags=x&tags=y").json == {"id": "12", "tags": ["x", "y"]}
    assert stock.received[-1] == stock.item(id=12, tags=["x", "y"])
    assert http1.request(shops.port, "GET", "/stock/12?price=3").status == 400, "that is the other shop's field"


@pytest.mark.parametrize("service, item", [("Orders", {"id": "a", "price": 3}), ("Stock", {"id": "12", "tags": ["x"]})])
def test_an_any_holds_what_its_upstream_calls_so(shops, orders, stock, service, item):
    shop = orders if service == "Orders" else stock
    box = {"content": {"@type": "type.googleapis.com/shop.Item", **item}, "item": item}
    answer = post(shops, f"/shop.{service}/Wrap", box)
    assert (answer.status, answer.json) == (200, box)
    received = shop.received[-1]
    assert received.content.value == received.item.SerializeToString() != b""


def test_an_any_cannot_hold_a_type_of_the_other_upstream(shops):
    answer = post(shops, "/shop.Stock/Wrap", {"content": {"@type": "type.googleapis.com/shop.OrdersBox"}})
    assert answer.status == 400 and "shop.OrdersBox" in answer.json["message"]


@pytest.mark.parametrize("service, problem", [("Orders", {"code": 7}), ("Stock", {"shelf": "7"})])
def test_error_details_have_the_types_of_their_upstream(shops, service, problem):
    answer = post(shops, f"/shop.{service}/Fail", {})
    assert answer.status == 404
    detail, = answer.json["details"]
    assert detail["type"] == "shop.Problem" and detail["debug"] == problem


def test_what_no_upstream_serves_is_unimplemented(shops):
    with grpc.insecure_channel(shops.target) as channel:
        for path in ("/shop.Orders/Drop", "/shop.Returns/Echo"):
            with pytest.raises(grpc.RpcError) as caught:
                channel.unary_unary(path)(b"", timeout=5)
            assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED and path in caught.value.details()


def reflected(stub, service):
    """What a client collects for one service, linked."""
    requests = [reflection_pb2.ServerReflectionRequest(file_containing_symbol=service)]
    answer, = stub.ServerReflectionInfo(iter(requests), timeout=5)
    pool = descriptor_pool.DescriptorPool()
    for file in reversed(answer.file_descriptor_response.file_descriptor_proto):
        pool.AddSerializedFile(file)
    return pool.FindServiceByName(service)


def test_the_gateways_own_reflection_tells_each_service_with_its_types(shops):
    with grpc.insecure_channel(shops.target) as channel:
        stub = reflection_pb2_grpc.ServerReflectionStub(channel)
        orders, stock = (reflected(stub, f"shop.{service}").methods_by_name["Echo"].input_type for service in ("Orders", "Stock"))
        assert orders.full_name == stock.full_name == "shop.Item"
        assert [field.name for field in orders.fields] == ["id", "price"] and orders.file.name == ITEM_FILE
        assert [field.name for field in stock.fields] == ["id", "tags"] and stock.file.name == f"2/{ITEM_FILE}"


def test_the_command_line_tells_them_apart(content, tmp_path, shops):
    file = write(tmp_path, content)
    checked = run("check", file)
    assert checked.returncode == 0, checked.stderr
    assert "  shop.Stock → stock: 3 methods, 1 REST route" in checked.stdout.decode().splitlines()
    routes = run("routes", "-c", file).stdout.decode()
    assert "/orders/{id}" in routes and "/stock/{id}" in routes
    for target, upstream, message in (("/orders/a?price=3", "orders", '{"id":"a","price":3}'),
                                      ("/stock/12?tags=x", "stock", '{"id":"12","tags":["x"]}')):
        explained = run("explain", "GET", target, "-c", file)
        assert explained.returncode == 0, explained.stdout
        lines = [line.split(maxsplit=1) for line in explained.stdout.decode().splitlines()]
        assert ["upstream", upstream] in lines and ["message", message] in lines


def test_entries_of_one_upstream_have_one_set_of_types(orders, stock, tmp_path):
    """Two files of one upstream that contradict each other are an error of the configuration."""
    services = []
    for shop in (orders, stock):
        path = tmp_path / f"{shop.service}.binpb"
        path.write_bytes(shop.files.SerializeToString())
        services.append({"upstream": "echo", "descriptors": {"file": str(path)}})
    checked = run("check", write(tmp_path, configuration(orders.target, services=services)))
    assert checked.returncode == 1
    assert f"services of upstream 'echo': {ITEM_FILE}: " in checked.stderr.decode()
