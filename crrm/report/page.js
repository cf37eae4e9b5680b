"use strict";
(() => {
  const root = document.documentElement;
  const charts = JSON.parse(document.getElementById("charts").textContent);
  const color = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();

  const count = (value) => {
    const units = ["", " k", " M", " G", " T"];
    let power = 0;
    while (Math.abs(value) >= 999.5 && power + 1 < units.length) {
      value /= 1000;
      ++power;
    }
    return Number(value.toPrecision(3)) + units[power];
  };
  const plain = (value) => {
    const size = Math.abs(value);
    return size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential(2).replace("-", "−")
                                                      : String(Number(value.toPrecision(4)));
  };
  const formats = {count, plain, percent: (value) => Number((value * 100).toPrecision(4)) + " %"};

  // Powers of ten, and their double and fivefold where the axis spans less than two of them.
  const mantissa = (value) => value / 10 ** Math.floor(Math.log10(value) + 1e-9);
  const sparse = (ticks) => {
    const wide = ticks[ticks.length - 1].value / ticks[0].value >= 100;
    return ticks.filter((tick) => (wide ? [1] : [1, 2, 5]).some(
        (digit) => Math.abs(mantissa(tick.value) - digit) < 1e-6));
  };
  const power = (value) => {
    if (Math.abs(mantissa(value) - 1) > 1e-6) return plain(value);
    const exponent = Math.round(Math.log10(value));
    return "10" + Array.from(String(exponent), (c) => c === "-" ? "⁻" : "⁰¹²³⁴⁵⁶⁷⁸⁹"[c]).join("");
  };

  // All curves share the axis of steps.
  const steps = charts.filter((chart) => !chart.compares).flatMap((chart) => chart.series.flatMap(
      (series) => [series.points[0].x, series.points[series.points.length - 1].x]));

  const curve = (series, index) => ({
    label: series.label,
    data: series.points,
    borderColor: color(index === 0 ? "kept" : "second"),
    backgroundColor: color(index === 0 ? "kept" : "second"),
    borderDash: index === 0 ? [] : [5, 4],
    borderWidth: index === 0 ? 2 : 1.5,
    pointRadius: series.points.length > 40 ? 0 : 2,
    pointHitRadius: 8,
  });

  // What is compared has a colour each, as far apart as there are series, and a shape each.
  const shapes = ["circle", "triangle", "rect", "rectRot", "star", "crossRot"];
  const compared = (series, index, all) => {
    const hue = Math.round(360 * index / all.length + 200) % 360;
    const ink = `hsl(${hue} 60% ${color("lightness")})`;
    return {label: series.label, data: series.points, borderColor: ink, backgroundColor: ink,
            borderWidth: 1.5, showLine: series.points.length > 1,
            pointStyle: shapes[index % shapes.length], pointRadius: 4, pointHitRadius: 8};
  };

  // One deviation over seeds, up and down.
  const whiskers = {
    id: "whiskers",
    afterDatasetsDraw: (chart) => {
      const {ctx, scales: {y}} = chart;
      chart.data.datasets.forEach((set, index) => {
        if (!chart.isDatasetVisible(index)) return;
        ctx.strokeStyle = set.borderColor;
        ctx.lineWidth = 1;
        set.data.forEach((point, i) => {
          if (!point.d) return;
          const x = chart.getDatasetMeta(index).data[i].x;
          ctx.beginPath();
          ctx.moveTo(x, y.getPixelForValue(point.y - point.d));
          ctx.lineTo(x, y.getPixelForValue(point.y + point.d));
          ctx.stroke();
        });
      });
    },
  };

  const axis = (options) => ({
    border: {color: color("rule")},
    grid: {color: color("rule"), drawBorder: false, tickLength: 4},
    ...options,
    ticks: {color: color("soft"), font: {size: 11}, maxRotation: 0, maxTicksLimit: 6,
            ...options.ticks},
  });

  const draw = (canvas) => {
    const chart = charts[Number(canvas.dataset.chart)];
    const format = formats[chart.format];
    const tick = chart.log ? power : format;
    const across = formats[chart.x_format] || count;
    const range = chart.compares ? {grace: "5%"}
                                 : {min: Math.min(...steps), max: Math.max(...steps)};
    return new Chart(canvas, {
      type: "line",
      data: {datasets: chart.series.map(chart.compares ? compared : curve)},
      plugins: chart.compares ? [whiskers] : [],
      options: {
        animation: false,
        maintainAspectRatio: false,
        parsing: false,
        normalized: !chart.compares,
        interaction: {mode: "nearest", axis: chart.compares ? "xy" : "x", intersect: false},
        scales: {
          x: axis({type: "linear", ...range,
                   title: {display: true, text: chart.x, color: color("soft"), font: {size: 11}},
                   ticks: {callback: (value) => across(value), includeBounds: false}}),
          y: axis({type: chart.log ? "logarithmic" : "linear", grace: chart.compares ? "10%" : 0,
                   afterBuildTicks: (scale) => {
                     if (chart.log) scale.ticks = sparse(scale.ticks);
                   },
                   ticks: {callback: (value) => tick(value)}}),
        },
        plugins: {
          decimation: {enabled: !chart.compares, algorithm: "lttb", samples: 400},
          legend: {display: chart.series.length > 1, align: "end",
                   labels: {color: color("ink"), font: {size: 11},
                            ...(chart.compares ? {usePointStyle: true}
                                               : {boxWidth: 22, boxHeight: 0})}},
          tooltip: {callbacks: {
            title: ([item]) => chart.x + " " + (chart.compares ? across(item.parsed.x)
                                                               : item.parsed.x),
            label: (item) => item.dataset.label + "  " + format(item.parsed.y) +
                (item.raw.d ? " ± " + format(item.raw.d) : ""),
          }},
        },
      },
    });
  };

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  let drawn = [];
  const redraw = () => {
    drawn.forEach((chart) => chart.destroy());
    drawn = Array.from(document.querySelectorAll("canvas[data-chart]"), draw);
  };
  redraw();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  addEventListener("beforeprint", () => { root.classList.add("printing"); redraw(); });
  addEventListener("afterprint", () => { root.classList.remove("printing"); redraw(); });
})();
