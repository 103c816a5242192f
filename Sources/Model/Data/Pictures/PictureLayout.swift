/// How the pictures of a store are divided into classes and into sets to train, validate and test
/// with.
///
/// The conventions are those of torchvision's and timm's `ImageFolder`: a folder for each class, in
/// folders `train` and `val` (or `valid`, `validation`) and `test`; without `train` the folders at
/// the top are the classes. A folder around everything is looked through. Pictures in folders
/// within a class belong to that class, as in torchvision; classes and files are in timm's order.
struct PictureLayout {
  /// The sets that a store can have.
  enum Part: String, CaseIterable {
    case train, validation, test

    /// The folders that are meant, in small letters.
    var folders: [String] {
      switch self {
      case .train: ["train", "training"]
      case .validation: ["val", "valid", "validation"]
      case .test: ["test", "testing"]
      }
    }
  }

  /// A picture with its class.
  struct Member {
    let entry: PictureEntry
    let label: Int32
  }

  /// The name of each class; the index is the label.
  let classNames: [String]
  /// The pictures of each set that is there, in order.
  let parts: [Part: [Member]]
  /// What was left out and why, one sentence each.
  private(set) var remarks: [String] = []

  /// A path that is being divided.
  private struct Place {
    let entry: PictureEntry
    var names: ArraySlice<Substring>
  }

  /// Divides the pictures of a store.
  ///
  /// - Parameter classMap: the classes in the order of their labels; nil takes the folders' names.
  /// - Throws: `DataError.noImages`, `.noClassFolders`, `.noTrainFolder`, `.twoFolders` or
  ///   `.classSets`.
  init(_ store: some PictureStore, classMap: [String]?) throws {
    guard !store.entries.isEmpty else { throw DataError.noImages(path: store.path) }
    var places = store.entries.map { Place(entry: $0, names: $0.path.split(separator: "/")[...]) }
    Self.openWrapper(&places)
    var remarks: [String] = []
    let divided = try Self.divide(places, path: store.path, remarks: &remarks)
    var classes: [Part: Set<Substring>] = [:]
    var loose = 0
    var sets: [Part: [Place]] = [:]
    for (part, places) in divided {
      let inClasses = places.filter { $0.names.count > 1 }
      loose += places.count - inClasses.count
      if inClasses.isEmpty && part != .train { continue }
      sets[part] = inClasses
      classes[part] = Set(inClasses.compactMap(\.names.first))
    }
    guard let found = classes[.train], !found.isEmpty else {
      throw DataError.noClassFolders(path: store.path)
    }
    if loose > 0 { remarks.append(Self.leftOut(loose, "in no class folder")) }
    if let classMap {
      classNames = classMap
      let others = found.subtracting(classMap.map { Substring($0) })
      guard others.count < found.count else {
        throw DataError.noMappedClass(path: store.path, folder: String(found.min() ?? ""))
      }
      if let other = others.min() {
        remarks.append(
          others.count == 1
            ? "the folder '\(other)' is not in the class map and was left out"
            : "\(others.count) folders are not in the class map and were left out, such as "
              + "'\(other)'")
      }
    } else {
      classNames = found.map { NaturalName(String($0)) }.sorted().map(\.name)
      for part in [Part.validation, .test] {
        guard let names = classes[part], names != found else { continue }
        throw DataError.classSets(
          part: part.rawValue, missing: found.subtracting(names).map(String.init).sorted(),
          extra: names.subtracting(found).map(String.init).sorted())
      }
    }
    let labels = Dictionary(
      uniqueKeysWithValues: classNames.enumerated().map { (Substring($1), Int32($0)) })
    parts = sets.mapValues { places in
      let members = places.compactMap { place -> (NaturalName, Member)? in
        guard let name = place.names.first, let label = labels[name] else { return nil }
        return (NaturalName(place.entry.path), Member(entry: place.entry, label: label))
      }
      return members.sorted { $0.0 < $1.0 }.map(\.1)
    }
    self.remarks = remarks
  }

  private static func leftOut(_ count: Int, _ place: String) -> String {
    count == 1
      ? "a picture lies \(place) and was left out"
      : "\(count) pictures lie \(place) and were left out"
  }

  /// Takes away a folder that stands around everything.
  private static func openWrapper(_ places: inout [Place]) {
    let parts = Set(Part.allCases.flatMap(\.folders))
    while let first = places.first?.names.first, !parts.contains(first.lowercased()),
      places.allSatisfy({ $0.names.count > 2 && $0.names.first == first })
    {
      for index in places.indices { places[index].names.removeFirst() }
    }
  }

  /// The places of each set, without the set's own folder.
  private static func divide(
    _ places: [Place], path: String, remarks: inout [String]
  ) throws -> [Part: [Place]] {
    let top = Dictionary(grouping: places) { $0.names.count > 1 ? $0.names.first ?? "" : "" }
    func folders(_ part: Part) -> [Substring] {
      top.keys.filter { part.folders.contains($0.lowercased()) }.sorted()
    }
    if folders(.train).isEmpty {
      let others = top.keys.filter { name in
        !Part.allCases.contains { $0.folders.contains(name.lowercased()) } && !name.isEmpty
      }
      if others.isEmpty, let name = top.keys.filter({ !$0.isEmpty }).min() {
        throw DataError.noTrainFolder(path: path, found: String(name))
      }
      return [.train: places]
    }
    var divided: [Part: [Place]] = [:]
    var used: Set<Substring> = []
    for part in Part.allCases {
      let names = folders(part)
      if names.count > 1 {
        throw DataError.twoFolders(path: path, first: String(names[0]), second: String(names[1]))
      }
      guard let name = names.first, let inside = top[name] else { continue }
      used.insert(name)
      divided[part] = inside.map { Place(entry: $0.entry, names: $0.names.dropFirst()) }
    }
    for name in top.keys.sorted() where !used.contains(name) {
      remarks.append(
        name.isEmpty
          ? leftOut(top[name]?.count ?? 0, "beside the folder of the training set")
          : "the folder '\(name)' is none of train, val and test and was left out")
    }
    return divided
  }
}
