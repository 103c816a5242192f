/// Reads Python pickles of the protocols 0 to 5 as data.
///
/// The stack machine of Python's `pickletools`, without its powers: classes and functions are
/// looked up in an allow-list and only noted down, never imported or called. Memory is bounded by
/// the size of the pickle and a limit on instructions, and nothing recurses, whatever the nesting.
///
/// SAFETY: the bytes belong to the caller of `read`, which outlives the reader.
public struct PickleReader {
  private let bytes: UnsafeRawBufferPointer
  private let rules: PickleRules
  private let limit: Int
  private var offset: Int
  /// Where the instruction at work starts.
  private var start: Int
  private var document = PickleDocument()
  private var stack: [PickleValue] = []
  /// The heights of the stack at the marks.
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]

  /// Reads one pickle.
  ///
  /// - Parameters:
  ///   - bytes: holds the pickle; what follows its end is ignored.
  ///   - offset: where it starts; on return, where it ended.
  ///   - allowed: the classes and functions that may occur.
  ///   - limit: the number of instructions that is accepted.
  /// - Throws: `PickleError`.
  public static func read(
    _ bytes: [UInt8], at offset: inout Int, allowing allowed: Set<PickleGlobal>,
    limit: Int = 4_000_000
  ) throws(PickleError) -> PickleDocument {
    try bytes.withUnsafeBufferPointer { bytes throws(PickleError) in
      try read(
        UnsafeRawBufferPointer(bytes), at: &offset, rules: PickleRules(allowed: allowed),
        limit: limit)
    }
  }

  /// Reads one pickle of bytes that lie anywhere; see the other form.
  static func read(
    _ bytes: UnsafeRawBufferPointer, at offset: inout Int, rules: PickleRules,
    limit: Int = 4_000_000
  ) throws(PickleError) -> PickleDocument {
    var reader = PickleReader(bytes: bytes, offset: offset, rules: rules, limit: limit)
    let document = try reader.run()
    offset = reader.offset
    return document
  }

  /// Reads the pickle at the start of `bytes`; see the other form.
  public static func read(
    _ bytes: [UInt8], allowing allowed: Set<PickleGlobal>, limit: Int = 4_000_000
  ) throws(PickleError) -> PickleDocument {
    var offset = 0
    return try read(bytes, at: &offset, allowing: allowed, limit: limit)
  }

  private init(bytes: UnsafeRawBufferPointer, offset: Int, rules: PickleRules, limit: Int) {
    precondition(offset >= 0 && offset <= bytes.count)
    self.bytes = bytes
    self.offset = offset
    self.rules = rules
    self.limit = limit
    start = offset
  }

  private mutating func run() throws(PickleError) -> PickleDocument {
    var instructions = 0
    while true {
      instructions += 1
      start = offset
      if instructions > limit { throw .tooLarge(limit: limit, offset: start) }
      let code = try byte()
      if code == UInt8(ascii: ".") {
        document.root = try pop()
        return document
      }
      guard let instruction = PickleInstruction(rawValue: code) else {
        throw .unknownInstruction(code: code, offset: start)
      }
      try execute(instruction)
    }
  }

  // MARK: Input

  private mutating func byte() throws(PickleError) -> UInt8 {
    guard offset < bytes.count else { throw .truncated(offset: offset) }
    offset += 1
    return bytes[offset - 1]
  }

  private mutating func take(_ count: Int) throws(PickleError) -> ArraySlice<UInt8> {
    guard count >= 0, count <= bytes.count - offset else { throw .truncated(offset: bytes.count) }
    offset += count
    return Array(bytes[(offset - count)..<offset])[...]
  }

  /// An unsigned number of `size` bytes, lowest first.
  private mutating func count(_ size: Int) throws(PickleError) -> Int {
    var bits: UInt64 = 0
    for (index, byte) in try take(size).enumerated() { bits |= UInt64(byte) << (8 * index) }
    // A length beyond Int is beyond the data as well.
    return Int(exactly: bits) ?? .max
  }

  /// A line of a text instruction, without its end.
  private mutating func line() throws(PickleError) -> ArraySlice<UInt8> {
    guard let end = bytes[offset...].firstIndex(of: UInt8(ascii: "\n")) else {
      throw .truncated(offset: bytes.count)
    }
    defer { offset = end + 1 }
    let line = Array(bytes[offset..<end])[...]
    return line.last == UInt8(ascii: "\r") ? line.dropLast() : line
  }

  private mutating func lineText() throws(PickleError) -> String {
    String(decoding: try line(), as: UTF8.self)
  }

  // MARK: Stack

  private func damaged(_ name: String) -> PickleError { .badInstruction(name: name, offset: start) }

  private mutating func push(_ value: PickleValue) { stack.append(value) }

  private mutating func pop() throws(PickleError) -> PickleValue {
    guard stack.count > (marks.last ?? 0), let value = stack.popLast() else {
      throw damaged("a value taken from an empty stack")
    }
    return value
  }

  private mutating func popToMark() throws(PickleError) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw damaged("a missing mark") }
    let values = Array(stack[mark...])
    stack.removeSubrange(mark...)
    return values
  }

  private mutating func add(_ node: PickleNode) -> Int {
    document.nodes.append(node)
    return document.nodes.count - 1
  }

  private mutating func pushTuple(_ items: [PickleValue]) {
    push(.tuple(add(PickleNode(items: items))))
  }

  // MARK: Instructions

  private mutating func execute(_ instruction: PickleInstruction) throws(PickleError) {
    switch instruction {
    case .proto:
      let version = Int(try byte())
      if version > 5 { throw .unsupportedProtocol(version, offset: start) }
    case .frame: _ = try count(8)
    case .mark: marks.append(stack.count)
    case .pop:
      if let mark = marks.last, mark == stack.count { marks.removeLast() } else { _ = try pop() }
    case .popMark: _ = try popToMark()
    case .dup:
      let value = try pop()
      push(value)
      push(value)

    case .none: push(.none)
    case .newTrue: push(.boolean(true))
    case .newFalse: push(.boolean(false))
    case .int, .long, .float, .string, .unicode: try executeText(instruction)
    case .binInt:
      push(.integer(Int(Int32(truncatingIfNeeded: try count(4)))))
    case .binInt1: push(.integer(try count(1)))
    case .binInt2: push(.integer(try count(2)))
    case .long1: try pushLong(count(1))
    case .long4: try pushLong(count(4))
    case .binFloat:
      let bits = try take(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
      push(.real(Double(bitPattern: bits)))

    case .binString, .binBytes: push(.bytes(try take(count(4))))
    case .shortBinString, .shortBinBytes: push(.bytes(try take(count(1))))
    case .binBytes8, .byteArray8: push(.bytes(try take(count(8))))
    case .binUnicode: push(.text(try take(count(4))))
    case .shortBinUnicode: push(.text(try take(count(1))))
    case .binUnicode8: push(.text(try take(count(8))))

    case .emptyList: push(.list(add(PickleNode())))
    case .emptyTuple: pushTuple([])
    case .emptyDict: push(.dictionary(add(PickleNode())))
    case .emptySet: push(.set(add(PickleNode())))
    case .list: push(.list(add(PickleNode(items: try popToMark()))))
    case .tuple: pushTuple(try popToMark())
    case .frozenSet: push(.set(add(PickleNode(items: try popToMark()))))
    case .tuple1: pushTuple([try pop()])
    case .tuple2:
      let second = try pop()
      pushTuple([try pop(), second])
    case .tuple3:
      let third = try pop()
      let second = try pop()
      pushTuple([try pop(), second, third])
    case .dict:
      let pairs = try popToMark()
      push(.dictionary(add(PickleNode())))
      try setItems(pairs)
    case .append: try appendItems([pop()])
    case .appends, .addItems: try appendItems(popToMark())
    case .setItem:
      let value = try pop()
      try setItems([pop(), value])
    case .setItems: try setItems(popToMark())

    case .put: try remember(Int(lineText()) ?? -1)
    case .binPut: try remember(count(1))
    case .longBinPut: try remember(count(4))
    case .memoize: try remember(memo.count)
    case .get: try recall(Int(lineText()) ?? -1)
    case .binGet: try recall(count(1))
    case .longBinGet: try recall(count(4))

    case .global:
      let module = try lineText()
      try pushGlobal(PickleGlobal(module, lineText()))
    case .stackGlobal:
      let name = document.text(try pop())
      guard let name, let module = document.text(try pop()) else { throw damaged("STACK_GLOBAL") }
      try pushGlobal(PickleGlobal(module, name))
    case .reduce:
      let arguments = try pop()
      try pushCall(pop(), document.sequence(arguments))
    case .newObject:
      let arguments = try pop()
      try pushObject(pop(), document.sequence(arguments))
    case .inst:
      let module = try lineText()
      try pushGlobal(PickleGlobal(module, lineText()))
      let constructor = try pop()
      try pushCall(constructor, popToMark())
    case .object:
      let values = try popToMark()
      guard let constructor = values.first else { throw damaged("OBJ") }
      try pushCall(constructor, Array(values.dropFirst()))
    case .newObjectEx:
      guard let keywords = document.node(try pop()), keywords.keys.isEmpty else {
        throw damaged("NEWOBJ_EX")
      }
      let arguments = try pop()
      try pushObject(pop(), document.sequence(arguments))
    case .build:
      let state = try pop()
      guard case .object(let id) = stack.last, stack.count > (marks.last ?? 0) else {
        throw damaged("BUILD")
      }
      document.nodes[id].state = state
    case .persistentID:
      let id = try line()
      push(.persistent(add(PickleNode(items: [.text(id)]))))
    case .binPersistentID:
      let id = try pop()
      push(.persistent(add(PickleNode(items: [id]))))

    case .extension1: try refuseExtension(count(1))
    case .extension2: try refuseExtension(count(2))
    case .extension4: try refuseExtension(count(4))
    case .nextBuffer, .readOnlyBuffer: throw damaged("a buffer outside the pickle")
    }
  }

  /// The instructions of protocol 0 that carry their value as a line of text.
  private mutating func executeText(_ instruction: PickleInstruction) throws(PickleError) {
    switch instruction {
    case .int, .long:
      let text = try lineText()
      // Protocol 0 writes truth values as the integers 00 and 01.
      if instruction == .int, text == "00" || text == "01" {
        push(.boolean(text == "01"))
        return
      }
      let digits = text.hasSuffix("L") ? text.dropLast() : text[...]
      guard let number = Int(digits) else { throw damaged("a number") }
      push(.integer(number))
    case .float:
      guard let number = Double(try lineText()) else { throw damaged("a number") }
      push(.real(number))
    case .string:
      guard let value = PickleText.unquoted(try line()) else { throw damaged("STRING") }
      push(.bytes(value))
    default:
      guard let value = PickleText.unescaped(try line()) else { throw damaged("UNICODE") }
      push(.text(value))
    }
  }

  private mutating func pushLong(_ size: Int) throws(PickleError) {
    let digits = try take(size)
    if size > 8 {
      push(.bigInteger(digits))
      return
    }
    // Two's complement, lowest byte first, extended by its sign.
    var bits: UInt64 = digits.last.map { $0 >= 0x80 } ?? false ? .max : 0
    for byte in digits.reversed() { bits = bits << 8 | UInt64(byte) }
    push(.integer(Int(truncatingIfNeeded: Int64(bitPattern: bits))))
  }

  private mutating func appendItems(_ items: [PickleValue]) throws(PickleError) {
    guard stack.count > (marks.last ?? 0) else { throw damaged("APPEND") }
    switch stack.last {
    case .list(let id), .set(let id), .object(let id):
      document.nodes[id].items += items
    default:
      throw damaged("APPEND")
    }
  }

  private mutating func setItems(_ pairs: [PickleValue]) throws(PickleError) {
    guard stack.count > (marks.last ?? 0), pairs.count.isMultiple(of: 2) else {
      throw damaged("SETITEM")
    }
    switch stack.last {
    case .dictionary(let id), .object(let id):
      for index in stride(from: 0, to: pairs.count, by: 2) {
        document.nodes[id].keys.append(pairs[index])
        document.nodes[id].values.append(pairs[index + 1])
      }
    default:
      throw damaged("SETITEM")
    }
  }

  private mutating func remember(_ number: Int) throws(PickleError) {
    guard number >= 0, stack.count > (marks.last ?? 0), let value = stack.last else {
      throw damaged("PUT")
    }
    memo[number] = value
  }

  private mutating func recall(_ number: Int) throws(PickleError) {
    guard let value = memo[number] else { throw damaged("GET") }
    push(value)
  }

  private mutating func pushGlobal(_ global: PickleGlobal) throws(PickleError) {
    if !rules.allowed.contains(global) {
      guard rules.acceptsInertClasses else {
        throw .forbiddenGlobal(name: global.qualified, offset: start)
      }
      if document.strangers[global] == nil { document.strangers[global] = start }
    }
    push(.global(global))
  }

  /// What a call would have made. Only what is on the list may be called.
  private mutating func pushCall(
    _ constructor: PickleValue, _ arguments: [PickleValue]?
  ) throws(PickleError) {
    if case .global(let global) = constructor, let offset = document.strangers[global] {
      throw .forbiddenGlobal(name: global.qualified, offset: offset)
    }
    try pushObject(constructor, arguments)
  }

  /// An object of a class. One of a class outside the list is empty until its state is set, so
  /// it has no arguments.
  private mutating func pushObject(
    _ constructor: PickleValue, _ arguments: [PickleValue]?
  ) throws(PickleError) {
    guard case .global(let global) = constructor, let arguments else { throw damaged("REDUCE") }
    if let offset = document.strangers[global], !arguments.isEmpty {
      throw .forbiddenGlobal(name: global.qualified, offset: offset)
    }
    push(.object(add(PickleNode(constructor: global, arguments: arguments))))
  }

  private func refuseExtension(_ code: Int) throws(PickleError) {
    throw .forbiddenGlobal(name: "extension code \(code)", offset: start)
  }
}
