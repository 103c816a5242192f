/// One row of a fixture: a JSON list of numbers, words and switches (Tests/Tools/augment_fixtures.py).
struct FixtureRow: Decodable {
  enum Cell: Decodable {
    case flag(Bool)
    case number(Double)
    case word(String)

    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let flag = try? container.decode(Bool.self) {
        self = .flag(flag)
      } else if let number = try? container.decode(Double.self) {
        self = .number(number)
      } else {
        self = .word(try container.decode(String.self))
      }
    }
  }

  let cells: [Cell]

  init(from decoder: any Decoder) throws {
    cells = try decoder.singleValueContainer().decode([Cell].self)
  }

  func number(_ index: Int) -> Double {
    guard case .number(let number) = cells[index] else { preconditionFailure("\(cells[index])") }
    return number
  }
  func integer(_ index: Int) -> Int { Int(number(index)) }
  func word(_ index: Int) -> String {
    guard case .word(let word) = cells[index] else { preconditionFailure("\(cells[index])") }
    return word
  }
  func flag(_ index: Int) -> Bool {
    guard case .flag(let flag) = cells[index] else { preconditionFailure("\(cells[index])") }
    return flag
  }
}
