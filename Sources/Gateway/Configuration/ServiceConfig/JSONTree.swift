import CJSONC

/// A JSON document as a tree, by json-c: for files that operators write, where a tree is right and speed is not.
indirect enum JSONTree: Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(String)
    case array([JSONTree])
    /// In the order of the document; of members with one name the last.
    case object([Member])

    struct Member: Equatable, Sendable {
        let key: String
        let value: JSONTree
    }

    /// Why a text is no JSON, and where.
    struct ParseError: Error, Equatable { var message: String }

    /// Levels of objects and arrays.
    static let depthMax: Int32 = 32
    static let bytesMax = 1 << 20

    init(parsing text: [UInt8]) throws(ParseError) {
        guard text.count <= JSONTree.bytesMax else {
            throw ParseError(message: "longer than \(JSONTree.bytesMax) bytes")
        }
        guard let tokener = unsafe json_tokener_new_ex(JSONTree.depthMax) else {
            throw ParseError(message: "out of memory")
        }
        defer { unsafe json_tokener_free(tokener) }
        unsafe json_tokener_set_flags(tokener, cjsonc_strict_flags())
        // The NUL tells the parser that nothing follows.
        let ended = text + [0]
        let parsed = unsafe ended.withUnsafeBufferPointer { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) { characters in
                unsafe json_tokener_parse_ex(
                    tokener, characters.baseAddress, Int32(characters.count))
            }
        }
        defer { _ = unsafe json_object_put(parsed) }
        let problem = unsafe json_tokener_get_error(tokener)
        guard problem == json_tokener_success else {
            let reason = unsafe String(cString: json_tokener_error_desc(problem))
            let offset = unsafe json_tokener_get_parse_end(tokener)
            throw ParseError(message: "no JSON at byte \(offset): \(reason)")
        }
        self = unsafe JSONTree(parsed)
    }

    /// Copies what json-c has made; it is no deeper than `depthMax`.
    private init(_ object: OpaquePointer?) {
        switch unsafe json_object_get_type(object) {
        case json_type_boolean: self = unsafe .bool(json_object_get_boolean(object) != 0)
        case json_type_int, json_type_double:
            self = unsafe .number(json_object_get_double(object))
        case json_type_string:
            self = unsafe .string(String(cString: json_object_get_string(object)))
        case json_type_array:
            let count = unsafe json_object_array_length(object)
            self = .array(
                (0..<count).map { index in
                    unsafe JSONTree(json_object_array_get_idx(object, index))
                })
        case json_type_object:
            var members: [Member] = []
            var iterator = unsafe json_object_iter_begin(object)
            var end = unsafe json_object_iter_end(object)
            while unsafe json_object_iter_equal(&iterator, &end) == 0 {
                unsafe members.append(
                    Member(
                        key: String(cString: json_object_iter_peek_name(&iterator)),
                        value: JSONTree(json_object_iter_peek_value(&iterator))))
                unsafe json_object_iter_next(&iterator)
            }
            self = .object(members)
        default: self = .null
        }
    }

    subscript(key: String) -> JSONTree? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }
}
