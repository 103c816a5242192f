import Foundation
import Model

/// params.json: everything that decides the numbers of a run, the same bytes for the same training on
/// every machine.
struct RunParameters: Codable, Equatable {
  /// The form of the file.
  var version = 1
  /// The network.
  var model: String
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
  /// The outputs of the classifier, where they are more than the data has classes.
  var classCount: Int?
  /// Every setting, with the network's values in the place of `auto`.
  var parameters: HyperparameterValues

  private enum CodingKeys: String, CodingKey {
    case version, model, weights, data
    case dataFingerprint = "data-fingerprint"
    case limit, classes
    case classCount = "class-count"
    case parameters
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
