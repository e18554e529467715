namespace Hull.Engine.Logs;

/// <summary>Which of the payload's outputs a line came from.</summary>
public enum LogStream
{
    Stdout = 1,
    Stderr = 2,
}
