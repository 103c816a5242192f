/// Finds the tensors in a pickle of `torch.save`.
struct TorchTensors {
  /// A storage as a pickle refers to it.
  struct Storage {
    let key: String
    /// nil for storages of bytes, whose tensors know their type.
    let type: ElementType?
    /// The element at which this view of the storage begins.
    let offset: Int
  }

  private let document: PickleDocument
  private let isBigEndian: Bool
  private let bytes: (Storage) -> TensorBytes?
  private var tensors: [WeightTensor] = []
  private var notes: [String] = []
  private var hasModule = false

  /// - Parameter bytes: where the contents of a storage lie; nil when it is not there.
  init(
    _ document: PickleDocument, isBigEndian: Bool, bytes: @escaping (Storage) -> TensorBytes?
  ) {
    self.document = document
    self.isBigEndian = isBigEndian
    self.bytes = bytes
  }

  /// The entries of a training state that hold weights, the best first: averages are what is
  /// evaluated and released.
  private static let places = [
    "state_dict_ema", "model_ema", "ema_state_dict", "ema", "state_dict", "model",
    "model_state_dict", "net", "network", "weights",
  ]

  /// Every tensor of the state dict, of the one in a training state, or of a whole module.
  func collect() throws(ContainerProblem) -> TorchFile.Contents {
    var finder = self
    try finder.find(in: document.root, depth: 0)
    guard !finder.tensors.isEmpty else {
      throw .noTensors("neither in itself nor in 'state_dict' or 'model'")
    }
    if !finder.hasModule, let (global, offset) = document.strangers.min(by: { $0.1 < $1.1 }) {
      throw .pickle(.forbiddenGlobal(name: global.qualified, offset: offset))
    }
    return (finder.tensors, finder.notes)
  }

  private mutating func find(in value: PickleValue, depth: Int) throws(ContainerProblem) {
    if try addModule(value) { return }
    for place in Self.places where depth < 4 {
      guard let inner = document.value(of: place, in: value), isTree(inner) else { continue }
      try find(in: inner, depth: depth + 1)
      if !tensors.isEmpty {
        notes.insert("'\(place)' was taken", at: 0)
        return
      }
    }
    try addTensors(of: value, prefix: "")
  }

  private func isTree(_ value: PickleValue) -> Bool {
    switch value {
    case .dictionary, .object: true
    default: false
    }
  }

  /// Takes the tensors among the members of a dictionary.
  private mutating func addTensors(
    of value: PickleValue?, prefix: String
  ) throws(ContainerProblem) {
    guard let value, let node = document.node(value) else { return }
    for (key, member) in zip(node.keys, node.values) {
      guard let name = document.text(key) else { continue }
      if let tensor = try tensor(member, name: prefix + name, depth: 0) { tensors.append(tensor) }
    }
  }

  /// Takes the tensors of a pickled module and of those inside it, when the value is one.
  private mutating func addModule(_ value: PickleValue) throws(ContainerProblem) -> Bool {
    guard members(ofModule: value) != nil else { return false }
    hasModule = true
    notes.append("a whole pickled module: its tensors were read, its code was not")
    var waiting = [(value, "")]
    var visits = 0
    while let (module, prefix) = waiting.popLast() {
      guard let members = members(ofModule: module) else { continue }
      visits += 1
      // A module that is in the tree twice counts twice, as in PyTorch; but none contains itself.
      guard prefix.utf8.count < 512, visits < 1 << 16 else {
        throw .malformed("modules nested without end", offset: 0)
      }
      try addTensors(of: document.value(of: "_parameters", in: members), prefix: prefix)
      try addTensors(of: document.value(of: "_buffers", in: members), prefix: prefix)
      guard let inner = document.value(of: "_modules", in: members),
        let node = document.node(inner)
      else { continue }
      // The last one in is the first one out.
      for (key, child) in zip(node.keys, node.values).reversed() {
        guard let name = document.text(key) else { continue }
        waiting.append((child, prefix + name + "."))
      }
      guard tensors.count < 1 << 18 else {
        throw .malformed("more tensors than any network has", offset: 0)
      }
    }
    return true
  }

  /// The attributes of an object that looks like a module.
  private func members(ofModule value: PickleValue) -> PickleValue? {
    guard case .object(let id) = value, let state = document.nodes[id].state,
      document.value(of: "_modules", in: state) != nil,
      document.value(of: "_parameters", in: state) != nil
    else { return nil }
    return state
  }

  // MARK: Tensors

  /// The tensor that a call would have made; nil when the value is none.
  private func tensor(
    _ value: PickleValue, name: String, depth: Int
  ) throws(ContainerProblem) -> WeightTensor? {
    guard case .object(let id) = value, depth < 4 else { return nil }
    let arguments = document.nodes[id].arguments
    switch document.nodes[id].constructor?.name {
    case "_rebuild_parameter", "_rebuild_parameter_with_state", "Parameter":
      guard let data = arguments.first else { return nil }
      return try tensor(data, name: name, depth: depth + 1)
    case "_rebuild_from_type_v2":
      guard arguments.count > 2, let inner = document.sequence(arguments[2]) else { return nil }
      return try rebuilt(inner, name: name)
    case "_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_tensor_v3":
      return try rebuilt(arguments, name: name)
    default:
      return nil
    }
  }

  /// A tensor from `(storage, offset, size, stride, …)`; the third version has the element type at
  /// the seventh place.
  private func rebuilt(
    _ arguments: [PickleValue], name: String
  ) throws(ContainerProblem) -> WeightTensor {
    guard arguments.count >= 4, let storage = Self.storage(arguments[0], in: document),
      let offset = document.integer(arguments[1]), let shape = integers(arguments[2]),
      let strides = integers(arguments[3])
    else { throw .impossibleTensor(name, reason: "is described in no known way") }
    var type = storage.type
    if arguments.count > 6, case .global(let global) = arguments[6] {
      type = PickleGlobal.dataTypes[global] ?? nil
    }
    guard let type else {
      throw .unsupported("'\(name)' has elements of a type that is not known here")
    }
    guard let contents = bytes(storage) else { throw .absent("the storage of '\(name)'") }
    let held = contents.count / type.byteCount
    let (start, overflow) = storage.offset.addingReportingOverflow(offset)
    guard !overflow, start >= 0, start <= held, shape.allSatisfy({ $0 >= 0 }) else {
      throw .impossibleTensor(name, reason: "begins outside of its storage")
    }
    let part = contents.part((start * type.byteCount)..<(held * type.byteCount))
    return try WeightTensor(name, type, shape, part, strides: strides, isBigEndian: isBigEndian)
  }

  private func integers(_ value: PickleValue) -> [Int]? {
    var value = value
    // `torch.Size((2, 3))`.
    if case .object(let id) = value, document.nodes[id].constructor?.name == "Size",
      let inner = document.nodes[id].arguments.first
    {
      value = inner
    }
    guard let items = document.sequence(value) else { return nil }
    let numbers = items.compactMap { document.integer($0) }
    return numbers.count == items.count ? numbers : nil
  }

  // MARK: Storages

  /// What `('storage', type, key, device, count[, view])` refers to.
  private static func storage(_ value: PickleValue, in document: PickleDocument) -> Storage? {
    guard case .persistent(let id) = value,
      let items = document.sequence(document.nodes[id].items.first), items.count >= 5,
      document.text(items[0]) == "storage", case .global(let global) = items[1],
      let key = document.text(items[2])
    else { return nil }
    let type = PickleGlobal.storages[global] ?? nil
    // Old files have views of storages: `(key, first element, count)`.
    if items.count > 5, let view = document.sequence(items[5]), view.count == 3 {
      guard let offset = document.integer(view[1]), offset >= 0 else { return nil }
      return Storage(key: key, type: type, offset: offset)
    }
    return Storage(key: key, type: type, offset: 0)
  }

  /// The element type of every storage that a pickle refers to, by key; nil for types that are
  /// not read.
  static func storageTypes(of document: PickleDocument) -> [String: ElementType?] {
    var types: [String: ElementType?] = [:]
    for node in document.nodes {
      for case .persistent(let id) in node.arguments + node.items {
        guard let storage = storage(.persistent(id), in: document) else { continue }
        types[storage.key] = .some(storage.type ?? .uint8)
      }
    }
    return types
  }
}
