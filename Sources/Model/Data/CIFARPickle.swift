/// The Python layout: a pickled dictionary with an array `data` of N x 3072 bytes (three planes)
/// and a list of N labels, written by Python 2 or 3.
extension CIFAR {
  /// Appends the records of a batch file.
  func appendPickled(_ bytes: [UInt8], file: String, to records: inout Records, limit: Int) throws {
    let document = try document(bytes, file: file)
    func unexpected(_ problem: String) -> DataError {
      .unexpectedContents(file: file, problem: problem)
    }
    guard case .dictionary = document.root else { throw unexpected("expected a dictionary") }
    guard let data = document.value(of: "data", in: document.root) else {
      throw unexpected("no entry 'data'")
    }
    guard let array = NumPyArray(data, in: document), let pixels = array.rows,
      array.shape[1] == Self.imageBytes
    else { throw unexpected("'data' is no array of bytes with rows of \(Self.imageBytes)") }
    guard let entry = document.value(of: labelKey, in: document.root) else {
      throw unexpected("no entry '\(labelKey)'")
    }
    let labels = try labels(entry, document: document, file: file)
    if labels.isEmpty { throw DataError.emptyFile(file: file) }
    if labels.count != array.shape[0] {
      throw unexpected("\(array.shape[0]) pictures but \(labels.count) labels")
    }
    let kept = min(labels.count, max(limit - records.labels.count, 0))
    for (record, label) in labels.enumerated() {
      guard classNames.indices.contains(label) else {
        throw DataError.labelOutOfRange(
          file: file, record: record, offset: nil, label: label, classCount: classNames.count)
      }
      if record < kept { records.labels.append(UInt8(label)) }
    }
    records.appendPixels(pixels, first: 0, every: Self.imageBytes, count: kept)
  }

  private func labels(_ value: PickleValue, document: PickleDocument, file: String) throws -> [Int]
  {
    if let array = NumPyArray(value, in: document), let labels = array.integers { return labels }
    guard let items = document.sequence(value) else {
      throw DataError.unexpectedContents(file: file, problem: "'\(labelKey)' is no list")
    }
    return try items.enumerated().map { record, item in
      guard let label = document.integer(item) else {
        throw DataError.unexpectedContents(
          file: file, problem: "'\(labelKey)' has no whole number at record \(record)")
      }
      return label
    }
  }

  /// The class names of a meta file.
  func pickledNames(_ bytes: [UInt8], file: String) throws -> [String] {
    let document = try document(bytes, file: file)
    guard let items = document.sequence(document.value(of: namesKey, in: document.root)) else {
      throw DataError.unexpectedContents(file: file, problem: "no list '\(namesKey)'")
    }
    return try items.map { item in
      guard let name = document.text(item) else {
        throw DataError.unexpectedContents(
          file: file, problem: "'\(namesKey)' has an entry that is no text")
      }
      return name
    }
  }

  private func document(_ bytes: [UInt8], file: String) throws -> PickleDocument {
    do {
      return try PickleReader.read(bytes, allowing: PickleGlobal.numpy)
    } catch {
      throw DataError.pickle(file: file, problem: error)
    }
  }
}
