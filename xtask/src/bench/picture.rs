//! The table as a picture: the time of each contender as a multiple of the floor.

use std::fmt::{Result, Write as _};

use super::{Board, Figures, GOALS, Limit};

const WIDTH: f64 = 860.0;
/// The left end of the bars, and the length of a bar for the floor.
const LEFT: f64 = 150.0;
const FLOOR: f64 = 100.0;
/// Longer bars are cut here and marked.
const MOST: f64 = 6.0;
const ROW: f64 = 18.0;
const TITLE: f64 = 30.0;

/// Bars for each workload with a floor, the fastest first; a line marks our goal.
pub(super) fn svg(board: &Board) -> std::result::Result<String, std::fmt::Error> {
    let mut bars = String::new();
    let mut y = 8.0;
    for (workload, figures) in board {
        let Some(floor) = figures.get("floor") else { continue };
        y += TITLE;
        writeln!(bars, r#"<text x="{LEFT}" y="{}" font-weight="bold">{workload}</text>"#, y - 9.0)?;
        let mut rows: Vec<(&String, f64)> =
            figures.iter().map(|(contender, of)| (contender, of.cpu / floor.cpu)).collect();
        rows.sort_by(|(_, a), (_, b)| a.total_cmp(b));
        for (contender, times) in rows {
            bar(&mut bars, y, contender, times)?;
            if let Some(goal) = goal(board, workload, contender, floor) {
                let x = LEFT + goal * FLOOR;
                writeln!(
                    bars,
                    r##"<line x1="{x:.0}" x2="{x:.0}" y1="{:.0}" y2="{:.0}" stroke="#b3261e" stroke-width="2"/>"##,
                    y - 1.0,
                    y + ROW - 3.0,
                )?;
            }
            y += ROW;
        }
    }
    Ok(format!(
        r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="12">
<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>
<g fill="#1f2328">
{bars}<text x="{LEFT}" y="{note}" fill="#57606a">CPU time, as a multiple of a loop that only sends and receives; the red line is our goal. Shorter is better.</text>
</g>
</svg>
"##,
        height = y + 36.0,
        note = y + 22.0,
    ))
}

fn bar(bars: &mut String, y: f64, contender: &str, times: f64) -> Result {
    let colour = match contender {
        "floor" => "#8c959f",
        ours if ours.starts_with("ours") => "#1a7f5a",
        _ => "#c5cdd8",
    };
    let width = times.min(MOST) * FLOOR;
    let cut = if times > MOST { " …" } else { "" };
    let text = y + 11.0;
    writeln!(bars, r#"<text x="{:.0}" y="{text:.0}" text-anchor="end">{contender}</text>"#, LEFT - 8.0)?;
    writeln!(
        bars,
        r#"<rect x="{LEFT}" y="{y:.0}" width="{width:.1}" height="{:.0}" fill="{colour}"/>"#,
        ROW - 4.0
    )?;
    writeln!(bars, r#"<text x="{:.0}" y="{text:.0}">{times:.2}{cut}</text>"#, LEFT + width + 6.0)
}

/// The goal of a contender as a multiple of the floor.
fn goal(board: &Board, workload: &str, contender: &str, floor: &Figures) -> Option<f64> {
    let (.., limit) = GOALS.iter().find(|(of, who, _)| *of == workload && *who == contender)?;
    let most = match limit {
        Limit::Nanoseconds(most) => *most,
        Limit::Times(most, other) => {
            let (other, from) = other.split_once(" of ").unwrap_or((other, workload));
            most * board.get(from)?.get(other)?.cpu
        }
    };
    Some(most / floor.cpu).filter(|goal| *goal <= MOST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_have_the_length_of_their_value_and_our_goal_is_marked() {
        let figures = |cpu| Figures { cpu, user: 0.0, allocs: 0.0, rss: 0.0, lost: 0 };
        let of = |list: &[(&str, f64)]| {
            list.iter().map(|(name, cpu)| ((*name).to_owned(), figures(*cpu))).collect()
        };
        let mut board = Board::new();
        board.insert("route-dump", of(&[("floor", 200.0), ("ours", 210.0), ("neli", 2000.0)]));
        board.insert("decode-route", of(&[("ours", 9.0)]));
        let svg = svg(&board).unwrap();
        assert!(svg.contains(r#"width="105.0""#) && svg.contains(">1.05</text>"), "{svg}");
        assert!(svg.contains(r#"width="600.0""#) && svg.contains(">10.00 …</text>"), "{svg}");
        // 1.2 times the floor.
        assert_eq!(svg.matches(r#"<line x1="270" x2="270""#).count(), 1, "{svg}");
        assert!(!svg.contains("decode-route"));
        let places: Vec<_> = ["floor<", "ours<", "neli<"].iter().map(|name| svg.find(*name)).collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{svg}");
    }
}
