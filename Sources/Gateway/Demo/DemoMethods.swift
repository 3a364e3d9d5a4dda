/// What the demo serves.
enum DemoMethods {
    /// The demo's own services, confined to one loop.
    static func make() -> LocalMethods {
        var methods = LocalMethods()
        let package = "gateway.demo.v1"
        methods.add("\(package).LibraryService", DemoLibraryService().methods)
        methods.add(
            "\(package).TickerService", ["Watch": LocalMethod { call in DemoTicker(call) }])
        let rooms = DemoRooms()
        methods.add(
            "\(package).ChatService",
            ["Join": LocalMethod(isClientStreaming: true) { call in DemoChat(call, rooms) }])
        methods.add(
            "\(package).UploadService",
            ["Send": LocalMethod(isClientStreaming: true) { call in DemoUpload(call) }])
        return methods
    }
}
