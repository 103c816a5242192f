/// The name of a class or function that a pickle refers to.
public struct PickleGlobal: Sendable, Hashable {
  /// The module, e.g. `numpy`.
  public let module: String
  /// The name in the module, e.g. `dtype`.
  public let name: String

  /// Names a class or function.
  public init(_ module: String, _ name: String) {
    self.module = module
    self.name = name
  }

  /// Module and name with a point between them.
  public var qualified: String { "\(module).\(name)" }
}

/// Which classes and functions may occur in a pickle.
struct PickleRules: Sendable {
  /// Those that may be called, which is to say noted down with their arguments.
  let allowed: Set<PickleGlobal>
  /// Whether others may be named, and may be the class of an object that gets nothing but a
  /// state. Calling them is an error all the same.
  var acceptsInertClasses = false
}

/// A value in a pickle. Compound values are numbers of nodes in their `PickleDocument`, so that
/// shared and circular structures need no care.
public enum PickleValue: Sendable, Equatable {
  case none
  case boolean(Bool)
  case integer(Int)
  /// An integer of more than 64 bits: two's complement, lowest byte first.
  case bigInteger(ArraySlice<UInt8>)
  case real(Double)
  /// Python 3 bytes, a bytearray, or a Python 2 string.
  case bytes(ArraySlice<UInt8>)
  /// A text, as UTF-8.
  case text(ArraySlice<UInt8>)
  case list(Int)
  case tuple(Int)
  case dictionary(Int)
  case set(Int)
  /// A class or function of the allow-list, by name.
  case global(PickleGlobal)
  /// What a class or function of the allow-list would have made.
  case object(Int)
  /// An object kept outside the pickle (PyTorch's storages); the node holds its id as only item.
  case persistent(Int)
}

/// A compound value.
public struct PickleNode: Sendable, Equatable {
  /// Members of a list, tuple or set; what was appended to an object.
  public internal(set) var items: [PickleValue] = []
  /// Keys of a dictionary or of what was set on an object, in order; `values` runs alongside.
  public internal(set) var keys: [PickleValue] = []
  /// The value of each key.
  public internal(set) var values: [PickleValue] = []
  /// The class or function of an object.
  public internal(set) var constructor: PickleGlobal?
  /// The arguments that the constructor would have been called with.
  public internal(set) var arguments: [PickleValue] = []
  /// What the object's `__setstate__` would have been called with.
  public internal(set) var state: PickleValue?
}

/// What a pickle holds, as a description: nothing in it was imported, called or made.
public struct PickleDocument: Sendable {
  /// The pickled value.
  public internal(set) var root: PickleValue = .none
  /// The compound values, by number.
  public internal(set) var nodes: [PickleNode] = []
  /// The classes and functions outside the allow-list that are named, each with the offset of its
  /// first mention; empty unless the rules accept inert classes.
  var strangers: [PickleGlobal: Int] = [:]

  /// The node of a compound value; nil for a simple one.
  public func node(_ value: PickleValue) -> PickleNode? {
    switch value {
    case .list(let id), .tuple(let id), .dictionary(let id), .set(let id), .object(let id),
      .persistent(let id):
      return nodes[id]
    default:
      return nil
    }
  }

  /// The members of a list or tuple; nil for anything else.
  public func sequence(_ value: PickleValue?) -> [PickleValue]? {
    switch value {
    case .list(let id), .tuple(let id): return nodes[id].items
    default: return nil
    }
  }

  /// The value of a key in a dictionary (or in an object that behaves like one). Python 2 strings,
  /// bytes and texts are the same key.
  public func value(of key: String, in value: PickleValue) -> PickleValue? {
    guard let node = node(value) else { return nil }
    // The last of equal keys counts, as in Python.
    for index in node.keys.indices.reversed() where text(node.keys[index]) == key {
      return node.values[index]
    }
    return nil
  }

  /// A text, or bytes that are UTF-8; nil for anything else.
  public func text(_ value: PickleValue?) -> String? {
    switch value {
    case .text(let bytes), .bytes(let bytes): return String(validating: bytes, as: UTF8.self)
    default: return nil
    }
  }

  /// Bytes, also in the form `_codecs.encode(text, 'latin1')` in which Python 3 writes them for
  /// the protocols 0 to 2; nil for anything else.
  public func bytes(_ value: PickleValue?) -> ArraySlice<UInt8>? {
    switch value {
    case .bytes(let bytes):
      return bytes
    case .object(let id):
      let node = nodes[id]
      switch node.constructor {
      case PickleGlobal("_codecs", "encode"):
        guard node.arguments.count == 2, case .text(let utf8) = node.arguments[0],
          let encoding = text(node.arguments[1]), ["latin1", "latin-1"].contains(encoding)
        else { return nil }
        return Self.latin1(utf8)
      case PickleGlobal("__builtin__", "bytes"), PickleGlobal("builtins", "bytes"),
        PickleGlobal("__builtin__", "bytearray"), PickleGlobal("builtins", "bytearray"):
        if node.arguments.isEmpty { return [] }
        // Deeper nesting has no use and would let a pickle send us round in circles.
        if case .bytes(let bytes) = node.arguments[0] { return bytes }
        return nil
      default:
        return nil
      }
    default:
      return nil
    }
  }

  /// A whole number, also a NumPy scalar or a truth value; nil for anything else.
  public func integer(_ value: PickleValue?) -> Int? {
    switch value {
    case .integer(let number): return number
    case .boolean(let flag): return flag ? 1 : 0
    case .object(let id):
      let node = nodes[id]
      guard let constructor = node.constructor, constructor.name == "scalar",
        PickleGlobal.numpy.contains(constructor), node.arguments.count == 2,
        let type = NumPyType(node.arguments[0], in: self), let bytes = bytes(node.arguments[1]),
        bytes.count == type.size
      else { return nil }
      return type.integer(bytes)
    default: return nil
    }
  }

  /// UTF-8 to one byte per character; nil when a character is above 255.
  private static func latin1(_ utf8: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
    var result: [UInt8] = []
    result.reserveCapacity(utf8.count)
    var index = utf8.startIndex
    while index < utf8.endIndex {
      let byte = utf8[index]
      if byte < 0x80 {
        result.append(byte)
        index += 1
      } else {
        guard byte == 0xC2 || byte == 0xC3, index + 1 < utf8.endIndex,
          utf8[index + 1] & 0xC0 == 0x80
        else { return nil }
        result.append((byte & 3) << 6 | utf8[index + 1] & 0x3F)
        index += 2
      }
    }
    return result[...]
  }
}
