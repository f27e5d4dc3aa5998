// All units of a program by Nextflow.
//
//     nextflow run main.nf --program /PATH/TO/PROGRAM --options "OPTION..." --out /SHARED/FOLDER
//
// Every try of a Nextflow process has a new working folder, so all of them write into one folder that they share, given
// by its whole path: a unit goes on where an earlier try was.
params.options = ''
params.out = "${launchDir}/results"

def command() {
  "${params.program} ${params.options} --out ${params.out}"
}

def units() {
  def list = ['sh', '-c', command() + ' --list'].execute()
  def names = list.text.readLines()
  if (list.waitFor() != 0) { error("${command()} --list failed") }
  names
}

process unit {
  cpus 1
  maxRetries 3
  // 75: another process works on it; 85: stopped and saved; 137 and 143: killed. 2 is an error of the options.
  errorStrategy { task.exitStatus in [75, 85, 137, 143] ? 'retry' : 'finish' }
  input: val name
  output: val name
  script: "${command()} --quiet --threads ${task.cpus} --unit ${name}"
}

process tables {
  input: val names
  output: stdout
  script: "${command()} --collect"
}

workflow { tables(unit(channel.fromList(units())).collect()).view() }
