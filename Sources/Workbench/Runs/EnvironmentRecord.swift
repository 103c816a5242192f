import Foundation
import Model

/// env.json: the machine and the program that a run was trained with. It names neither the host nor
/// the user.
struct EnvironmentRecord: Codable, Equatable {
  /// The processor, by its own name.
  var processor: String
  /// Cores that this process may use.
  var cores: Int
  /// The instruction sets that the kernels can use here.
  var features: [String]
  /// Threads that compute.
  var threads: Int
  /// Bytes of memory.
  var memory: UInt64
  /// The operating system's kernel.
  var kernel: String
  /// The processor family: `x86_64`, `aarch64`.
  var architecture: String
  /// The compiler that built the program.
  var swift: String
  /// The program's version.
  var version: String
  /// The commit that the program was built from, where it is known.
  var git: String?
  /// The folder that the data was read from; nil for embedded data.
  var dataDirectory: String?
  /// The file of class names; nil where the data names its classes itself.
  var classMap: String?

  /// Looks at this machine.
  init(version: String, git: String?, threads: Int) {
    let description = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
    processor = Self.field("model name", in: description) ?? "unknown"
    let flags = Self.field("flags", in: description) ?? Self.field("Features", in: description)
    let present = Set((flags ?? "").split(separator: " ").map(String.init))
    features = Self.relevantFeatures.filter(present.contains)
    cores = ProcessInfo.processInfo.activeProcessorCount
    memory = ProcessInfo.processInfo.physicalMemory
    var system = utsname()
    uname(&system)
    kernel = Self.text(system.sysname) + " " + Self.text(system.release)
    architecture = Self.text(system.machine)
    self.threads = threads
    self.version = version
    self.git = git
    swift = Self.compiler
  }

  /// The fields as JSON, sorted, one a line.
  func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    var data = try encoder.encode(self)
    data.append(UInt8(ascii: "\n"))
    return data
  }

  /// The record of a run, if it can be read.
  static func of(_ run: RunDirectory) -> EnvironmentRecord? {
    guard let data = try? Data(contentsOf: run.environment) else { return nil }
    return try? JSONDecoder().decode(Self.self, from: data)
  }

  private static let relevantFeatures = [
    "sse4_2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl",
    "avx512_vnni", "avx512_bf16", "amx_bf16", "asimd", "asimdhp", "sve", "sve2",
  ]

  private static var compiler: String {
    #if compiler(>=6.5)
      return "6.5 or newer"
    #elseif compiler(>=6.4)
      return "6.4"
    #elseif compiler(>=6.3)
      return "6.3"
    #else
      return "6.2"
    #endif
  }

  private static func field(_ name: String, in description: String) -> String? {
    for line in description.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      if parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == name {
        return parts[1].trimmingCharacters(in: .whitespaces)
      }
    }
    return nil
  }

  private static func text<Characters>(_ characters: Characters) -> String {
    withUnsafeBytes(of: characters) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
