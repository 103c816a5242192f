/// Picture files whose classes are known, decoded when they are asked for.
final class LabelledPictures: Dataset {
  let name: String
  let classNames: [String]
  var count: Int { members.count }
  private let store: any PictureStore
  private let members: [PictureLayout.Member]
  private let cache: DecodedCache
  /// The number of the first picture in the cache, which several sets share.
  private let firstNumber: Int

  init(
    name: String, classNames: [String], store: any PictureStore, members: [PictureLayout.Member],
    cache: DecodedCache, firstNumber: Int
  ) {
    self.name = name
    self.classNames = classNames
    self.store = store
    self.members = members
    self.cache = cache
    self.firstNumber = firstNumber
  }

  func label(_ index: Int) -> Int { Int(members[index].label) }

  func file(_ index: Int) -> String? { members[index].entry.path }

  /// The bytes of all files.
  var bytes: Int { members.reduce(0) { $0 + $1.entry.size } }

  /// Decodes a file, unless it is in the cache.
  ///
  /// - Throws: `DataError.broken`.
  func image(_ index: Int) throws -> ImageRGB {
    try cache.picture(firstNumber + index) {
      let entry = members[index].entry
      do throws(any Error) {
        return try ImageCodec.decode(store.bytes(of: entry), name: store.name(of: entry))
      } catch let error as DataError {
        throw DataError.broken(error)
      }
    }
  }

  /// The SHA-256 of a file.
  func digest(_ index: Int) throws -> String? {
    try sha256(of: store.bytes(of: members[index].entry))
  }

  /// A line for each file: what the fingerprint of the data set is made of.
  var listing: String {
    members.map { "\($0.label)\t\($0.entry.size)\t\($0.entry.path)\n" }.joined()
  }
}
