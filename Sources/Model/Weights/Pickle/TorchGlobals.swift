extension PickleGlobal {
  /// What `torch.save` needs for tensors, training states and options.
  static let torch: Set<PickleGlobal> = numpy.union(rebuilding).union(containers)
    .union(storages.keys).union(dataTypes.keys).union([untypedStorage])

  /// The functions that PyTorch makes tensors with.
  private static let rebuilding: Set<PickleGlobal> = [
    PickleGlobal("torch._utils", "_rebuild_tensor"),
    PickleGlobal("torch._utils", "_rebuild_tensor_v2"),
    PickleGlobal("torch._utils", "_rebuild_tensor_v3"),
    PickleGlobal("torch._utils", "_rebuild_parameter"),
    PickleGlobal("torch._utils", "_rebuild_parameter_with_state"),
    PickleGlobal("torch._tensor", "_rebuild_from_type_v2"),
    PickleGlobal("torch", "Tensor"),
    PickleGlobal("torch.nn.parameter", "Parameter"),
  ]

  /// Plain things that stand beside tensors.
  private static let containers: Set<PickleGlobal> = [
    PickleGlobal("collections", "OrderedDict"), PickleGlobal("collections", "defaultdict"),
    PickleGlobal("argparse", "Namespace"), PickleGlobal("torch", "Size"),
    PickleGlobal("torch", "device"), PickleGlobal("torch.serialization", "_get_layout"),
    PickleGlobal("builtins", "set"), PickleGlobal("__builtin__", "set"),
    PickleGlobal("builtins", "frozenset"), PickleGlobal("__builtin__", "frozenset"),
    PickleGlobal("builtins", "slice"), PickleGlobal("builtins", "complex"),
    PickleGlobal("builtins", "object"), PickleGlobal("__builtin__", "object"),
    PickleGlobal("builtins", "dict"), PickleGlobal("__builtin__", "dict"),
    PickleGlobal("builtins", "list"), PickleGlobal("__builtin__", "list"),
    PickleGlobal("builtins", "int"), PickleGlobal("builtins", "float"),
    PickleGlobal("copyreg", "_reconstructor"), PickleGlobal("copy_reg", "_reconstructor"),
    PickleGlobal("pathlib", "PosixPath"), PickleGlobal("pathlib", "PurePosixPath"),
    PickleGlobal("pathlib", "WindowsPath"), PickleGlobal("pathlib._local", "PosixPath"),
  ]

  /// The typed storages, with what they hold; nil for what is not read.
  static let storages: [PickleGlobal: ElementType?] = named([
    "FloatStorage": .float32, "HalfStorage": .float16, "BFloat16Storage": .bfloat16,
    "DoubleStorage": .float64, "LongStorage": .int64, "IntStorage": .int32,
    "ShortStorage": .int16, "CharStorage": .int8, "ByteStorage": .uint8, "BoolStorage": .bool,
    "ComplexFloatStorage": nil, "ComplexDoubleStorage": nil, "QInt8Storage": nil,
    "QUInt8Storage": nil, "QInt32Storage": nil,
  ])

  /// The element types by their own names.
  static let dataTypes: [PickleGlobal: ElementType?] = named([
    "float32": .float32, "float16": .float16, "bfloat16": .bfloat16, "float64": .float64,
    "int64": .int64, "int32": .int32, "int16": .int16, "int8": .int8, "uint8": .uint8,
    "uint16": .uint16, "uint32": .uint32, "uint64": .uint64, "bool": .bool,
    "float8_e4m3fn": .float8e4m3, "float8_e5m2": .float8e5m2, "complex64": nil,
    "complex128": nil,
  ])

  /// Storages without a type, whose elements are bytes.
  static let untypedStorage = PickleGlobal("torch.storage", "UntypedStorage")

  private static func named(_ types: [String: ElementType?]) -> [PickleGlobal: ElementType?] {
    Dictionary(
      uniqueKeysWithValues: types.map { (PickleGlobal("torch", $0.key), $0.value) })
  }
}
