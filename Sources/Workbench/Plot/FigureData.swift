/// The numbers of a figure as one table: a column of x, then a column per series (and two more for
/// the ends of its band, if it has one).
///
/// A blank field means "this series has no point at this x" and does not interrupt its line; `NaN`
/// means a gap and does.
struct FigureData: Sendable, Equatable {
  /// Where a series stands: column numbers count from 1, as gnuplot's do.
  struct Columns: Sendable, Equatable {
    var y: Int
    var low: Int?
    var high: Int?
  }

  /// Column headings, for people and other programs; nothing is ever looked up by them.
  let header: [String]
  let rows: [[String]]
  /// The columns of each series, in the figure's order.
  let columns: [Columns]

  init(_ figure: Figure) {
    var header = [figure.x.text.isEmpty ? "x" : figure.x.text]
    var columns: [Columns] = []
    let drawn = figure.series.map { series in
      series.points.compactMap { figure.drawable($0, side: series.side) }
    }
    for (series, points) in zip(figure.series, drawn) {
      let name = series.name.isEmpty ? figure.axis(of: series.side).label : series.name
      header.append(name)
      var place = Columns(y: header.count)
      if points.contains(where: { $0.low != nil }) {
        header += ["\(name) low", "\(name) high"]
        (place.low, place.high) = (header.count - 1, header.count)
      }
      columns.append(place)
    }
    self.header = header
    self.columns = columns
    self.rows = Self.rows(drawn, columns: columns, width: header.count)
  }

  /// Rows in the order of x where every series is; otherwise one series after another, which the
  /// blank fields make just as good.
  private static func rows(
    _ series: [[Figure.Point]], columns: [Columns], width: Int
  ) -> [[String]] {
    var rows: [[String]] = []
    func fill(_ row: Int, _ point: Figure.Point, _ place: Columns) {
      rows[row][place.y - 1] = point.y.map(number) ?? "NaN"
      if let low = place.low, let high = place.high {
        rows[row][low - 1] = point.low.map(number) ?? "NaN"
        rows[row][high - 1] = point.high.map(number) ?? "NaN"
      }
    }
    func newRow(_ x: Double) {
      rows.append([number(x)] + Array(repeating: "", count: width - 1))
    }
    let isSorted = series.allSatisfy { points in
      zip(points, points.dropFirst()).allSatisfy { $0.x <= $1.x }
    }
    guard isSorted else {
      for (points, place) in zip(series, columns) {
        for point in points {
          newRow(point.x)
          fill(rows.count - 1, point, place)
        }
      }
      return rows
    }
    var next = series.map { _ in 0 }
    while true {
      let heads = series.indices.compactMap { index in
        next[index] < series[index].count ? series[index][next[index]].x : nil
      }
      guard let x = heads.min() else { return rows }
      newRow(x)
      for index in series.indices where next[index] < series[index].count {
        let point = series[index][next[index]]
        if point.x == x {
          fill(rows.count - 1, point, columns[index])
          next[index] += 1
        }
      }
    }
  }

  private static func number(_ value: Double) -> String {
    ReportValue.shortest(value)
  }

  /// The data as a CSV file with one header line.
  var csv: String {
    ([header.map(ReportValue.csvField)] + rows).map { $0.joined(separator: ",") + "\n" }.joined()
  }
}
