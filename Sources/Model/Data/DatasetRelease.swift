/// How a data set is published: what is fetched, and what must come of it.
public enum DatasetRelease: Sendable, Equatable {
  /// One packed folder.
  case archive(DatasetArchive)
  /// Files that are read as they are.
  case files(DatasetFiles)

  /// The folder that holds the data set once it is there.
  public var folder: String {
    switch self {
    case .archive(let archive): archive.folder
    case .files(let files): files.folder
    }
  }
}

/// Where a data set in one archive is fetched from.
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

/// Where a data set of single files is fetched from.
public struct DatasetFiles: Sendable, Equatable {
  /// A file and what is published about it.
  public struct File: Sendable, Equatable {
    /// Its name, in the web and here.
    public let name: String
    /// Its MD5.
    public let md5: String

    /// Notes a file.
    public init(name: String, md5: String) {
      self.name = name
      self.md5 = md5
    }
  }

  /// The address that all of them lie under, with the slash at its end.
  public let address: String
  /// The folder that torchvision gives the data set.
  public let folder: String
  /// The files, which belong in `raw` in that folder.
  public let files: [File]

  /// Notes where files lie and where they belong.
  public init(address: String, folder: String, files: [File]) {
    self.address = address
    self.folder = folder
    self.files = files
  }
}

extension Datasets {
  /// How a data set is published, in the layout that is quickest to read; nil for one that is not
  /// fetched.
  public static func release(of name: String) -> DatasetRelease? {
    if let idx = IDXDataset.all.first(where: { $0.name == name }) { return .files(idx.release) }
    let cifar = [CIFAR.ten, .hundred].first { $0.name == name }
    return (cifar?.layouts.first?.archive).map { .archive($0) }
  }

  /// The data sets that can be fetched.
  public static let publishedNames = [CIFAR.ten.name, CIFAR.hundred.name] + idxNames
}
