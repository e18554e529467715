using System.Diagnostics;
using Hull.Cli.Output;
using Hull.Images.Registry;

namespace Hull.Cli.Commands.Images;

/// <summary>A line for each layer on a terminal, drawn over as it changes: docker's bars.</summary>
/// <remarks>Calls come one at a time. Lines that only move a bar are drawn at most ten times a second, since a fast network
/// would else be slowed by the terminal.</remarks>
internal sealed class TerminalTransferProgress : ITransferProgress
{
    private const int BarWidth = 50;
    private const int LeastWidth = 40;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);

    private readonly TextWriter _output;
    private readonly Func<int> _width;
    private readonly List<string> _layers = [];
    private readonly Dictionary<string, TransferPhase> _phases = [];
    private readonly Dictionary<string, long> _drawn = [];
    private readonly Dictionary<string, TransferRate> _rates = [];

    /// <param name="width">The terminal's columns now.</param>
    public TerminalTransferProgress(TextWriter output, Func<int> width)
    {
        _output = output;
        _width = width;
    }

    public void Message(string line)
    {
        _output.WriteLine(line);
        _output.Flush();
    }

    public void Layer(LayerProgress progress)
    {
        int index = _layers.IndexOf(progress.Layer);
        bool known = index >= 0;
        bool moved = known && _phases[progress.Layer] == progress.Phase;
        if (moved && Stopwatch.GetElapsedTime(_drawn[progress.Layer]) < Interval && (progress.Current < progress.Total || progress.Total == 0))
        {
            return;
        }

        if (!_rates.TryGetValue(progress.Layer, out TransferRate? rate) || !moved)
        {
            _rates[progress.Layer] = rate = new TransferRate(progress.Current);
        }

        string line = Line(progress, _width(), rate.At(progress.Current));
        _phases[progress.Layer] = progress.Phase;
        _drawn[progress.Layer] = Stopwatch.GetTimestamp();
        if (!known)
        {
            _layers.Add(progress.Layer);
            _output.Write(line + "\n");
        }
        else
        {
            // Up to the layer's line, over it, and back below the last.
            int up = _layers.Count - index;
            _output.Write($"\x1b[{up}A\r\x1b[2K{line}\x1b[{up}B\r");
        }

        _output.Flush();
    }

    /// <summary>One layer's line, no longer than the terminal is wide.</summary>
    /// <param name="rate">Bytes a second; 0 where that is not known yet.</param>
    internal static string Line(LayerProgress progress, int width, double rate = 0)
    {
        string line = $"{progress.Layer}: {progress.Text}";
        if (progress.IsMoving && progress.Total > 0)
        {
            string figures = $"{Units.HumanSize(progress.Current)}/{Units.HumanSize(progress.Total)}";
            if (rate > 0 && progress.Current < progress.Total)
            {
                double left = Math.Ceiling((progress.Total - progress.Current) / rate);
                figures += $"  {Units.HumanSize(rate, 3)}/s {Short(left)}";
            }

            int room = Math.Min(BarWidth, width - line.Length - figures.Length - 6);
            if (width >= LeastWidth && room > 5)
            {
                int filled = (int)(room * Math.Clamp((double)progress.Current / progress.Total, 0, 1));
                string bar = filled < room ? new string('=', filled) + ">" + new string(' ', room - filled - 1) : new string('=', room);
                return $"{line} [{bar}]  {figures}";
            }

            line = $"{line} {figures}";
        }

        if (progress is { IsMoving: true, Total: 0, Current: > 0 })
        {
            // The server did not say how much there is.
            line += rate > 0 ? $" {Units.HumanSize(progress.Current)}  {Units.HumanSize(rate, 3)}/s" : $" {Units.HumanSize(progress.Current)}";
        }

        return line.Length <= width ? line : line[..Math.Max(1, width)];
    }

    /// <summary>Time left: <c>45s</c>, <c>3m20s</c>, <c>2h05m</c>.</summary>
    private static string Short(double seconds) => seconds switch
    {
        < 60 => $"{seconds:0}s",
        < 3600 => $"{(int)seconds / 60}m{(int)seconds % 60:00}s",
        _ => $"{(long)seconds / 3600}h{(long)seconds % 3600 / 60:00}m",
    };
}
