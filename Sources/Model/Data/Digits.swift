import EmbeddedData

extension Datasets {
  /// The UCI optical digits that are part of the program: 1797 pictures of 8x8 pixels.
  ///
  /// "Optical Recognition of Handwritten Digits", E. Alpaydin and C. Kaynak, UCI Machine Learning
  /// Repository (CC BY 4.0), as shipped in scikit-learn. The gray values 0...16 are spread over
  /// 0...255 and repeated in the three channels. Every fifth picture (index % 5 == 4) is in the
  /// test set: 1438 to train with, 359 to test.
  ///
  /// - Parameter limit: keeps the first so many pictures of the training set and, at most, of the
  ///   test set; at least 1.
  public static func digits(limit: Int? = nil) -> DataSource {
    precondition(limit.map { $0 > 0 } ?? true, "a limit is at least 1")
    let record = 65
    let bytes = [UInt8](
      UnsafeBufferPointer(start: embedded_digits(), count: embedded_digits_size()))
    precondition(bytes.count == 1797 * record, "the embedded digits are whole")
    var pixels: (train: [UInt8], test: [UInt8]) = ([], [])
    var labels: (train: [UInt8], test: [UInt8]) = ([], [])
    for index in 0..<(bytes.count / record) {
      let start = index * record
      let values = bytes[(start + 1)..<(start + record)].flatMap { value in
        // v * 255 / 16 rounded; a half goes up only where v is 8: 127.5.
        [UInt8](repeating: UInt8((Int(value) * 255 + 8) / 16), count: 3)
      }
      if index % 5 == 4 {
        labels.test.append(bytes[start])
        pixels.test += values
      } else {
        labels.train.append(bytes[start])
        pixels.train += values
      }
    }
    let names = (0..<10).map(String.init)
    func first(_ name: String, _ set: (pixels: [UInt8], labels: [UInt8])) -> InMemoryDataset {
      let count = min(limit ?? .max, set.labels.count)
      return InMemoryDataset(
        name: name, classNames: names, width: 8, height: 8,
        pixels: Array(set.pixels.prefix(count * 3 * 64)), labels: Array(set.labels.prefix(count)))
    }
    return DataSource(
      name: "digits",
      train: first("digits train", (pixels.train, labels.train)),
      test: first("digits test", (pixels.test, labels.test)),
      files: [DataFile(name: "digits (part of the program)", sha256: sha256(of: bytes))])
  }
}
