/// Where a data set is fetched from.
public struct DatasetArchive: Sendable, Equatable {
  /// The file name of the download, a `.tar.gz`.
  public let name: String
  /// Where it lies.
  public let url: String
  /// The MD5 that its authors publish.
  public let md5: String
  /// The one folder in it.
  public let folder: String
}

extension Datasets {
  /// The official archive of a data set, in the layout that is quickest to read; nil for one that
  /// is not fetched.
  public static func archive(of name: String) -> DatasetArchive? {
    [CIFAR.ten, .hundred].first { $0.name == name }?.layouts.first?.archive
  }
}
