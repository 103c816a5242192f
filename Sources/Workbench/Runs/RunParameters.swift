import Foundation
import Model

/// params.json: everything that decides the numbers of a run, the same bytes for the same training on
/// every machine.
struct RunParameters: Codable, Equatable {
  /// The form of the file.
  var version = 1
  /// The network.
  var model: String
  /// How the network pools the last maps; nil for the mean.
  var pooling: GlobalPooling?
  /// The channels of the network's images; nil for three.
  var inputChannels: Int?
  /// The digest of the weights that training began with; nil for fresh ones.
  var weights: String?
  /// The data set.
  var data: String
  /// A digest of the data set.
  var dataFingerprint: String
  /// The classes, in the order of the classifier's outputs.
  var classes: [String]
  /// How many images were asked for; nil for all.
  var limit: Int?
  /// How the data was read and divided, where its name does not say it all.
  var reading: DataReading?
  /// The outputs of the classifier, where they are more than the data has classes.
  var classCount: Int?
  /// Every setting, with the network's values in the place of `auto`.
  var parameters: HyperparameterValues
  /// The settings that were forced from the command line, whatever the script says; nil for none.
  var overrides: [String]?

  private enum CodingKeys: String, CodingKey {
    case version, model, weights, data
    case pooling = "global-pool"
    case inputChannels = "in-chans"
    case dataFingerprint = "data-fingerprint"
    case limit, classes
    case reading = "data-reading"
    case classCount = "class-count"
    case parameters, overrides
  }

  /// Describes a training.
  init(
    model: String, weights: String?, data: DataSource, parameters: HyperparameterValues
  ) {
    self.model = model
    self.weights = weights
    self.data = data.name
    dataFingerprint = data.fingerprint
    classes = data.classNames
    self.parameters = parameters
  }

  /// Reads the file of a run.
  /// - Throws: `RunError.noParameters`.
  init(of run: RunDirectory) throws {
    do {
      self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: run.parameters))
    } catch {
      throw RunError.noParameters(name: run.name)
    }
  }

  /// The run's network.
  /// - Throws: `ArchitectureError` when there is no such one.
  var variant: Variant {
    get throws {
      let named = try Variant.named(model)
      let pooled = try pooling.map(named.pooled) ?? named
      return try inputChannels.map(pooled.taking) ?? pooled
    }
  }

  /// How the run's network sees images: what `auto` means for its weights.
  func preprocessing(of variant: Variant) -> Preprocessing {
    Hyperparameters(parameters, for: variant.preprocessing).preprocessing
  }

  /// Writes the file of a run.
  func write(to run: RunDirectory) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    var data = try encoder.encode(self)
    data.append(UInt8(ascii: "\n"))
    try AtomicFile.write(data, to: run.parameters)
  }
}

/// How data was read and divided, without the places where it lay.
struct DataReading: Codable, Equatable {
  /// What `data` was asked for: `folder`, `cifar10`, ...
  var kind: String
  /// The share of the training set that validates.
  var validationFraction: Double?
  /// The seed by which it was drawn.
  var splitSeed: UInt64
  /// Whether pictures that cannot be decoded were left out.
  var skipsBroken: Bool

  private enum CodingKeys: String, CodingKey {
    case kind
    case validationFraction = "val-fraction"
    case splitSeed = "split-seed"
    case skipsBroken = "skips-broken"
  }

  /// Nil where the data set as such was read, which its name tells.
  init?(_ request: DataRequest) {
    if request.isCutWhileReading && !request.skipsBroken { return nil }
    kind = request.name
    validationFraction = request.validationFraction
    splitSeed = request.splitSeed
    skipsBroken = request.skipsBroken
  }
}

extension DataRequest {
  /// What a run was given, with the places from its record of the environment.
  init(_ description: RunParameters, _ environment: EnvironmentRecord?) {
    self.init(name: description.reading?.kind ?? description.data)
    directory = environment?.dataDirectory
    classMap = environment?.classMap
    limit = description.limit
    if let reading = description.reading {
      validationFraction = reading.validationFraction
      splitSeed = reading.splitSeed
      skipsBroken = reading.skipsBroken
    }
  }
}
